package consents

import (
	"strings"
	"testing"
)

func TestKeyword(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Verdict{
		"STOP": OptOutWord, "stop.": OptOutWord, " Stop ! ": OptOutWord, "إيقاف": OptOutWord, "ايقاف": OptOutWord, "إيقـــاف": OptOutWord,
		"Stop promotions": OptOutWord, "don't stop": None, "don’t stop": None, "dont stop please": None, "please stop": OptOutWord,
		"ＳＴＯＰ": OptOutWord, "\u200fSTOP\u200f": OptOutWord, "s.t.o.p": None, "stop it": None, "bus stop": None, "non-stop": None,
		"unsubscribe": OptOutWord, "cancel": OptOutWord, "cancel my order": None, "END": OptOutWord, "the end": None, "quit": OptOutWord,
		"إلغاء الاشتراك": OptOutWord, "الغ الاشتراك؟": OptOutWord, "كنسل": OptOutWord, "لا أرغب": OptOutWord, "لا أريد": OptOutWord, "ما أبي": OptOutWord,
		"ما ابغى": OptOutWord, "مابي": OptOutWord, "حَذْف": OptOutWord, "احذفوني": OptOutWord, "شيلوني": OptOutWord, "قف": OptOutWord, "لا تتوقف": None,
		"لا أريد هذا اللون": None, "أريد إلغاء الطلب": None, "وقفوا الرسائل": OptOutWord, "لا ترسلوا لي شيئاً": OptOutWord, "بطلوا ترسلون": OptOutWord,
		"Please do not message me again": OptOutWord, "stop sending me this": OptOutWord, "don't stop sending me offers": None, "never stop sending": None,
		"START": OptInWord, "subscribe": OptInWord, "unstop": OptInWord, "اشتراك": OptInWord, "اشترك": OptInWord, "تفعيل": OptInWord, "عودة": OptInWord,
		"yes": None, "نعم": None, "when do you start": None, "": None, "🛑": None, "stop 🛑": OptOutWord, "hello": None,
		strings.Repeat("stop ", 2000): None,
	} {
		if got := Keyword(text); got != want {
			t.Errorf("Keyword(%q) = %s, want %s", text, got, want)
		}
	}
}

// The lists hold what normalise makes, or they would never match.
func TestWordsAreNormal(t *testing.T) {
	t.Parallel()
	for _, list := range [][]string{optOutWords, optInWords, optOutPhrases, denials} {
		for _, w := range list {
			if n := normalise(w); n != w {
				t.Errorf("%q stands in a list, its normal form is %q", w, n)
			}
		}
	}
}

func FuzzKeyword(f *testing.F) {
	for _, s := range []string{"STOP", "إيقاف", "don't stop", "stop sending", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := normalise(s)
		if again := normalise(n); again != n {
			t.Fatalf("%q becomes %q and then %q", s, n, again)
		}
		Keyword(s)
	})
}
