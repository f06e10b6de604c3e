package consents

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Verdict is what a person's message means for their consent.
type Verdict string

// The verdicts.
const (
	None       Verdict = "none"
	OptOutWord Verdict = "opt_out"
	OptInWord  Verdict = "opt_in"
)

// The words, in the form normalise gives them. A message is one of them as a
// whole: a word inside a sentence means nothing by itself.
var (
	optOutWords = []string{
		"stop", "unsubscribe", "cancel", "end", "quit", "stopall", "stop all", "optout", "opt out", "remove", "remove me",
		"stop promotions", "stop promotion", "stop messages",
		"ايقاف", "توقف", "اوقف", "اوقفوا", "وقف", "قف", "الغاء", "الغاء الاشتراك", "الغ الاشتراك", "الغي الاشتراك", "كنسل",
		"لا ارغب", "لا اريد", "ما ابي", "ما ابغي", "مابي", "حذف", "احذفوني", "شيلوني", "ايقاف العروض", "ايقاف الرسايل",
	}
	optInWords = []string{"start", "subscribe", "unstop", "اشتراك", "اشترك", "تفعيل", "عوده"}

	// optOutPhrases mean a refusal wherever they stand, unless denied just before.
	optOutPhrases = []string{
		"do not message", "dont message", "do not text me", "dont text me", "do not contact me", "dont contact me",
		"stop sending", "stop messaging", "stop texting", "unsubscribe me", "take me off",
		"لا ترسلوا", "لا ترسلون", "لا ترسل", "وقفوا الرسايل", "اوقفوا الرسايل", "بطلوا ترسلون", "الغوا اشتراكي",
	}
	denials = []string{"dont", "do not", "never", "not", "please dont", "لا", "ما"}
)

// Keyword judges a message by the person to the business. Near matches are
// None; a button's text or payload goes through it as well.
func Keyword(text string) Verdict {
	if len(text) > 4096 {
		return None
	}
	s := normalise(text)
	for strings.HasPrefix(s, "please ") || strings.HasSuffix(s, " please") {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "please "), " please")
	}
	switch {
	case slices.Contains(optOutWords, s):
		return OptOutWord
	case slices.Contains(optInWords, s):
		return OptInWord
	case slices.ContainsFunc(optOutPhrases, func(p string) bool { return says(s, p) }):
		return OptOutWord
	}
	return None
}

// says tells whether the phrase stands in s on word borders without a denial
// before it.
func says(s, phrase string) bool {
	before, _, found := strings.Cut(" "+s+" ", " "+phrase+" ")
	if !found {
		return false
	}
	before = strings.TrimSpace(before)
	return !slices.ContainsFunc(denials, func(d string) bool { return before == d || strings.HasSuffix(before, " "+d) })
}

// normalise brings what people type to one form: NFKC, small letters, no
// diacritics, tatweel, marks or punctuation, Arabic letters and digits folded,
// single blanks. The apostrophe goes without a gap: don't is one word.
func normalise(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(text) {
		r = unicode.ToLower(r)
		switch {
		case r == 'أ' || r == 'إ' || r == 'آ' || r == 'ٱ':
			r = 'ا'
		case r == 'ى':
			r = 'ي'
		case r == 'ة':
			r = 'ه'
		case r == 'ؤ':
			r = 'و'
		case r == 'ئ':
			r = 'ي'
		case r >= '٠' && r <= '٩':
			r = '0' + r - '٠'
		case r >= 0x064b && r <= 0x0652, r == 0x0670, r == 0x0640, unicode.Is(unicode.Cf, r), r == '\'', r == '’', r == 0xfe0f:
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
