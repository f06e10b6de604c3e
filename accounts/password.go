package accounts

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"bareed/internal/errs"
)

// The lengths of a password in characters (NIST SP 800-63B section 3.1.1.2:
// long is good, rules of composition are not).
const (
	passwordMin = 12
	passwordMax = 1024
)

//go:embed passwords.txt
var commonPasswords string

var isCommon = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool)
	for line := range strings.Lines(commonPasswords) {
		m[strings.TrimSpace(line)] = true
	}
	return m
})

// CheckPassword refuses a password that is too short, too long, among the most
// used ones, or little more than words about its owner: the company's name, the
// person's name or e-mail address, the product's. Everything else is accepted,
// spaces and emoji too.
func CheckPassword(password string, about ...string) *errs.Error {
	n := utf8.RuneCountInString(password)
	switch {
	case n < passwordMin:
		return errs.New("password.short", "min", passwordMin)
	case n > passwordMax:
		return errs.New("password.long", "max", passwordMax)
	}
	lower := strings.ToLower(password)
	if isCommon()[lower] || monotone(lower) {
		return errs.New("password.common")
	}
	rest := lower
	for _, word := range wordsOf(append(about, "bareed", "password", "whatsapp")) {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if rest != lower && utf8.RuneCountInString(rest) < 8 {
		return errs.New("password.company")
	}
	return nil
}

// wordsOf splits names and addresses into words of four letters or more, and
// keeps the names written together too.
func wordsOf(about []string) []string {
	var words []string
	for _, text := range about {
		parts := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		words = append(words, strings.Join(parts, ""))
		words = append(words, parts...)
	}
	var long []string
	for _, w := range words {
		if utf8.RuneCountInString(w) >= 4 {
			long = append(long, w)
		}
	}
	return long
}

// monotone finds what no list can hold: one short piece over and over, and
// characters that only count up or down.
func monotone(s string) bool {
	r := []rune(s)
	for piece := 1; piece <= 4; piece++ {
		same := true
		for i := piece; i < len(r) && same; i++ {
			same = r[i] == r[i-piece]
		}
		if same {
			return true
		}
	}
	for _, step := range []rune{1, -1} {
		runs := 0
		for i := 1; i < len(r); i++ {
			if r[i]-r[i-1] == step {
				runs++
			}
		}
		if runs >= len(r)-2 {
			return true
		}
	}
	return false
}
