package ui

import (
	"regexp"
	"strings"
)

// latin writes the digits and separators of Arabic keyboards as a program reads them.
var latin = strings.NewReplacer("٠", "0", "١", "1", "٢", "2", "٣", "3", "٤", "4", "٥", "5", "٦", "6", "٧", "7", "٨", "8", "٩", "9",
	"۰", "0", "۱", "1", "۲", "2", "۳", "3", "۴", "4", "۵", "5", "۶", "6", "۷", "7", "۸", "8", "۹", "9",
	"٫", ".", "٬", ",", "\u00a0", " ", "\u202f", " ")

var (
	plainNumber   = regexp.MustCompile(`^-?[0-9]+([.][0-9]+)?$`)
	groupedNumber = regexp.MustCompile(`^-?[0-9]{1,3}([, ][0-9]{3})+([.][0-9]+)?$`)
)

// Typed reads a number as a person writes it, with digits of both scripts,
// separators between thousands and a percent sign behind it, as a program writes
// it: 1,500.5 and ١٬٥٠٠٫٥ are 1500.5. ok is false for anything else. A comma that
// does not stand between thousands is not guessed at: 12,50 is twelve and a half
// to some, and may not become 1250.
func Typed(text string) (number string, ok bool) {
	text = strings.TrimSpace(latin.Replace(text))
	text = strings.TrimSpace(strings.TrimRight(text, "%٪"))
	switch {
	case plainNumber.MatchString(text):
		return text, true
	case groupedNumber.MatchString(text):
		return strings.NewReplacer(",", "", " ", "").Replace(text), true
	}
	return "", false
}
