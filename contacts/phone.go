package contacts

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"bareed/internal/errs"
)

// Phone is a number that exists in its country's plan. The zero value is none.
type Phone struct {
	E164    string // what is sent to: + and digits
	Key     string // by which two spellings are one person; see fold
	Country string // ISO 3166-1 alpha-2
}

// RecipientKey is the phone's form in the ledger and in keyed hashes.
func (p Phone) RecipientKey() string { return "p:" + p.Key }

// RecipientKeyOfWaID turns the digits-only number that Meta calls wa_id into
// the same form. Meta's number need not be valid in its country's plan
// (Brazil without the 9, Mexico with the 1), so it is folded and not checked.
func RecipientKeyOfWaID(waID string) string { return "p:" + fold("+"+waID) }

// RecipientKeyOfBSUID is the form of a business-scoped user id.
func RecipientKeyOfBSUID(bsuid string) string { return "b:" + bsuid }

var (
	reBSUID      = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)
	reScientific = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$`)
	reDecimal    = regexp.MustCompile(`^[0-9]{7,}[.,][0-9]{1,2}$`)
	reSeparator  = regexp.MustCompile(`[/,;|&\n\t\\]| or | و | and |\+`)
	rePhoneText  = regexp.MustCompile(`^\+?[0-9 ().\-]+$`)
)

// ParsePhone reads a number as people and spreadsheets write it.
// defaultCountry (ISO alpha-2, may be empty) is used for a number without its
// country code and is never guessed. Every refusal is an *errs.Error:
// phone.missing, phone.no_country, phone.scientific, phone.multiple,
// phone.bsuid or phone.invalid.
func ParsePhone(raw, defaultCountry string) (Phone, error) {
	s := cleanPhone(raw)
	if s == "" {
		return Phone{}, errs.New("phone.missing")
	}
	if reBSUID.MatchString(s) {
		return Phone{}, errs.New("phone.bsuid")
	}
	if reScientific.MatchString(s) || reDecimal.MatchString(s) {
		return Phone{}, errs.New("phone.scientific")
	}
	if isMultiple(s) {
		return Phone{}, errs.New("phone.multiple")
	}
	if !rePhoneText.MatchString(s) {
		return Phone{}, errs.New("phone.invalid")
	}
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		s = "+" + rest
	}
	if n := len(digitsOf(s)); n < 5 || n > 15 {
		return Phone{}, errs.New("phone.invalid")
	}
	return parseClean(s, strings.ToUpper(defaultCountry))
}

// parseClean tries the meanings in order: written with +, a number of the
// default country, and an international number whose + was lost (which is how
// this program exports them).
func parseClean(s, country string) (Phone, error) {
	if s[0] == '+' {
		if p, ok := lookUp("+"+digitsOf(s), ""); ok {
			return p, nil
		}
		return Phone{}, errs.New("phone.invalid")
	}
	if country != "" {
		if p, ok := lookUp(s, country); ok {
			return p, nil
		}
	}
	if d := digitsOf(s); d[0] != '0' && len(d) >= 10 {
		if p, ok := lookUp("+"+d, ""); ok {
			return p, nil
		}
	}
	if country == "" {
		return Phone{}, errs.New("phone.no_country")
	}
	return Phone{}, errs.New("phone.invalid")
}

func lookUp(s, country string) (Phone, bool) {
	n, err := phonenumbers.Parse(unfold(s), country)
	if err != nil || n.GetExtension() != "" {
		return Phone{}, false
	}
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	if fixed := unfold(e164); fixed != e164 {
		if n, err = phonenumbers.Parse(fixed, ""); err != nil {
			return Phone{}, false
		}
		e164 = fixed
	}
	if !phonenumbers.IsValidNumber(n) {
		return Phone{}, false
	}
	region := phonenumbers.GetRegionCodeForNumber(n)
	if len(region) != 2 || region == "ZZ" {
		return Phone{}, false // "001": numbers of no country, which WhatsApp does not serve
	}
	return Phone{E164: e164, Key: fold(e164), Country: region}, true
}

// fold returns the canonical form of an international number. WhatsApp knows
// people in three countries by two numbers each, and both must be one person:
//   - Brazil: mobiles gained a 9 after the two-digit area; here it is removed.
//     Only before 6 to 9: 9 5xxx without its 9 would be somebody's landline.
//   - Mexico: 52 1 was the form for mobiles until 2020; the 1 is removed.
//   - Argentina: 54 9 marks a mobile; the 9 is removed, the ten digits after it
//     are given out once for fixed and mobile together.
func fold(e164 string) string {
	switch {
	case strings.HasPrefix(e164, "+55") && len(e164) == 14 && e164[5] == '9' && e164[6] >= '6':
		return e164[:5] + e164[6:]
	case strings.HasPrefix(e164, "+521") && len(e164) == 14:
		return "+52" + e164[4:]
	case strings.HasPrefix(e164, "+549") && len(e164) == 14:
		return "+54" + e164[4:]
	}
	return e164
}

// unfold writes Brazil's and Mexico's old forms as today's number plan wants
// them, since the old ones are not valid in it.
func unfold(e164 string) string {
	switch {
	case strings.HasPrefix(e164, "+55") && len(e164) == 13 && e164[5] >= '6':
		return e164[:5] + "9" + e164[5:]
	case strings.HasPrefix(e164, "+521") && len(e164) == 14:
		return "+52" + e164[4:]
	}
	return e164
}

// cleanPhone takes away what spreadsheets and chat programs put around a
// number, and writes Arabic-Indic, Persian and full-width digits as ASCII.
func cleanPhone(raw string) string {
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

// looksLikePhone tells whether a cell is a number as somebody may write it,
// valid or not.
func looksLikePhone(cell string) bool {
	s := cleanPhone(cell)
	return rePhoneText.MatchString(s) && len(digitsOf(s)) >= 7 || reScientific.MatchString(s)
}

// isMultiple tells whether a cell holds two numbers: two runs of at least
// seven digits on both sides of a separator, or of blanks when there are more
// digits than one number can have.
func isMultiple(s string) bool {
	if long(reSeparator.Split(s, -1)) > 1 {
		return true
	}
	return len(digitsOf(s)) > 15 && long(strings.Fields(s)) > 1
}

func long(parts []string) int {
	n := 0
	for _, p := range parts {
		if len(digitsOf(p)) >= 7 {
			n++
		}
	}
	return n
}

func digitsOf(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// IsCountry tells whether code is a country ParsePhone knows numbers of.
func IsCountry(code string) bool {
	return phonenumbers.GetSupportedRegions()[strings.ToUpper(code)] && len(code) == 2
}
