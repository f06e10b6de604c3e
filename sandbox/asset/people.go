package asset

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// WaID is the WhatsApp id of a phone number: its digits, rewritten for Brazil
// (the ninth digit is left out) and Mexico (the 1 after 52 is left out), so that
// nobody takes the answer's wa_id for what was sent.
func WaID(phone string) string {
	d := Digits(phone)
	switch {
	case len(d) == 13 && strings.HasPrefix(d, "55") && d[4] == '9':
		return d[:4] + d[5:]
	case len(d) == 13 && strings.HasPrefix(d, "521"):
		return "52" + d[3:]
	default:
		return d
	}
}

// countryOf names the country letters of a business-scoped id for the calling
// codes rehearsals use; ZZ for the rest, which is in Meta's form but nowhere.
func countryOf(wa string) string {
	for _, c := range [][2]string{
		{"966", "SA"}, {"971", "AE"}, {"965", "KW"}, {"974", "QA"}, {"973", "BH"}, {"968", "OM"}, {"962", "JO"},
		{"20", "EG"}, {"44", "GB"}, {"49", "DE"}, {"55", "BR"}, {"52", "MX"}, {"91", "IN"}, {"62", "ID"}, {"90", "TR"}, {"1", "US"},
	} {
		if strings.HasPrefix(wa, c[0]) {
			return c[1]
		}
	}
	return "ZZ"
}

// UserID is the business-scoped id of a person for a portfolio: always the same,
// different in every portfolio, without the number in it.
func UserID(portfolioID, wa string) string {
	sum := sha256.Sum256([]byte(portfolioID + "|" + wa))
	return countryOf(wa) + "." + hex.EncodeToString(sum[:10])
}

// Digits strips a display number to what Meta writes in webhooks.
func Digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}
