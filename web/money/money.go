// Package money owns the pages about what messages cost: the rate cards of a
// workspace, and the parts of other pages that show an estimate and an actual
// cost.
//
// web registers it; the wizard and the campaign's report show its parts. It
// judges nothing: billing and the packages below it do, the same ones that the
// API calls.
package money

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"bareed/billing"
	"bareed/web/front"
	"bareed/web/ui"
)

// desk has the handlers; what they need comes with the call.
type desk struct{}

// Register adds the pages.
func Register(f *front.Front) {
	var s desk
	f.Handle("GET /rate-cards", s.cardsPage)
	f.Handle("GET /rate-cards/new", s.newCardPage)
	f.Handle("POST /rate-cards/new", s.addCard)
	f.Handle("GET /rate-cards/{card}", s.cardPage)
	f.Handle("GET /rate-cards/{card}/file.csv", s.cardFile)
}

// Say writes an amount exactly, grouped by thousands, with its currency behind
// it: one run of text from left to right in every language. Nil is not known:
// empty.
func Say(m *billing.Money) string {
	if m == nil {
		return ""
	}
	return number(m.Micros) + " " + m.Currency
}

// number is an amount without its currency.
func number(micros int64) string {
	whole, places, _ := strings.Cut(strings.TrimPrefix(billing.Decimal(micros), "-"), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	sign := ""
	if micros < 0 {
		sign = "\u2212"
	}
	return sign + whole + "." + places
}

// more is number with a plus sign where it adds something.
func more(micros int64) string {
	if micros > 0 {
		return "+" + number(micros)
	}
	return number(micros)
}

// country is a country's name to the reader.
func country(l ui.Locale, code string) string {
	if code == "" {
		return l.T("money.country.unknown")
	}
	return billing.CountryName(l.Lang, code)
}

// market is a region's or country's name to the reader.
func market(l ui.Locale, name string) string {
	if len(name) == 2 {
		return billing.CountryName(l.Lang, name)
	}
	return l.Of("money.market", name)
}

// region is the market's name where it is not the country itself.
func region(l ui.Locale, market, country string) string {
	if market == "" || market == country {
		return ""
	}
	return l.Of("money.market", market)
}

// day is a date as the reader writes it; text that is none stays.
func day(l ui.Locale, s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return l.Day(time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, l.Zone))
}

// byCount orders reasons by how many they are, most first.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
