// Package phonetext reads the text that people and spreadsheets write in place of
// a phone number: what stands around it, in which digits, whether it is one.
//
// contacts parses numbers with it. It knows no country and no number plan.
package phonetext

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	reScientific = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$`)
	reSeparator  = regexp.MustCompile(`[/,;|&\n\t\\]| or | و | and |\+`)
	rePlain      = regexp.MustCompile(`^\+?[0-9 ().\-]+$`)
)

// IsScientific tells a number that a spreadsheet shortened, such as 9.66E+11.
func IsScientific(s string) bool { return reScientific.MatchString(s) }

// IsPlain tells a text of digits and what is put between them.
func IsPlain(s string) bool { return rePlain.MatchString(s) }

// Clean takes away what spreadsheets and chat programs put around a
// number, and writes Arabic-Indic, Persian and full-width digits as ASCII.
func Clean(raw string) string {
	var b strings.Builder
	b.Grow(len(raw))
	for _, r := range raw {
		switch {
		case r >= '٠' && r <= '٩':
			b.WriteRune('0' + r - '٠')
		case r >= '۰' && r <= '۹':
			b.WriteRune('0' + r - '۰')
		case r >= '０' && r <= '９':
			b.WriteRune('0' + r - '０')
		case r == '＋':
			b.WriteByte('+')
		case r >= '\u2010' && r <= '\u2015' || r == '\u2212':
			b.WriteByte('-')
		case r == '٫':
			b.WriteByte('.')
		case r == '،' || r == '؛':
			b.WriteByte(';')
		case r != '\n' && r != '\t' && unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.Cf, r): // bidi and zero-width marks
		default:
			b.WriteRune(r)
		}
	}
	s := strings.TrimSpace(b.String())
	s = strings.TrimSpace(strings.TrimLeft(s, "'`’‘"))
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = strings.TrimSpace(s[4:])
	}
	return s
}

// LooksLikePhone tells whether a cell is a number as somebody may write it,
// valid or not.
func LooksLikePhone(cell string) bool {
	s := Clean(cell)
	return rePlain.MatchString(s) && len(Digits(s)) >= 7 || reScientific.MatchString(s)
}

// IsMultiple tells whether a cell holds two numbers: two runs of at least
// seven digits on both sides of a separator, or of blanks when there are more
// digits than one number can have.
func IsMultiple(s string) bool {
	if long(reSeparator.Split(s, -1)) > 1 {
		return true
	}
	return len(Digits(s)) > 15 && long(strings.Fields(s)) > 1
}

func long(parts []string) int {
	n := 0
	for _, p := range parts {
		if len(Digits(p)) >= 7 {
			n++
		}
	}
	return n
}

// Digits are the ASCII digits of a text.
func Digits(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
