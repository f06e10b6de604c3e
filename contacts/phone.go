package contacts

import (
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"bareed/contacts/phonetext"
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
	reBSUID   = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)
	reDecimal = regexp.MustCompile(`^[0-9]{7,}[.,][0-9]{1,2}$`)
)

// ParsePhone reads a number as people and spreadsheets write it.
// defaultCountry (ISO alpha-2, may be empty) is used for a number without its
// country code and is never guessed. Every refusal is an *errs.Error:
// phone.missing, phone.no_country, phone.scientific, phone.multiple,
// phone.bsuid or phone.invalid.
func ParsePhone(raw, defaultCountry string) (Phone, error) {
	s := phonetext.Clean(raw)
	if s == "" {
		return Phone{}, errs.New("phone.missing")
	}
	if reBSUID.MatchString(s) {
		return Phone{}, errs.New("phone.bsuid")
	}
	if phonetext.IsScientific(s) || reDecimal.MatchString(s) {
		return Phone{}, errs.New("phone.scientific")
	}
	if phonetext.IsMultiple(s) {
		return Phone{}, errs.New("phone.multiple")
	}
	if !phonetext.IsPlain(s) {
		return Phone{}, errs.New("phone.invalid")
	}
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		s = "+" + rest
	}
	if n := len(phonetext.Digits(s)); n < 5 || n > 15 {
		return Phone{}, errs.New("phone.invalid")
	}
	return parseClean(s, strings.ToUpper(defaultCountry))
}

// parseClean tries the meanings in order: written with +, a number of the
// default country, and an international number whose + was lost (which is how
// this program exports them).
func parseClean(s, country string) (Phone, error) {
	if s[0] == '+' {
		if p, ok := lookUp("+"+phonetext.Digits(s), ""); ok {
			return p, nil
		}
		return Phone{}, errs.New("phone.invalid")
	}
	if country != "" {
		if p, ok := lookUp(s, country); ok {
			return p, nil
		}
	}
	if d := phonetext.Digits(s); d[0] != '0' && len(d) >= 10 {
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

// IsCountry tells whether code is a country ParsePhone knows numbers of.
func IsCountry(code string) bool {
	return phonenumbers.GetSupportedRegions()[strings.ToUpper(code)] && len(code) == 2
}
