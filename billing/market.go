package billing

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"
)

// OtherMarket is where every country belongs that is in no other.
const OtherMarket = "other"

// marketsCSV is which market a country belongs to from a day on; empty: from
// the beginning. A market is one country by its code, or a region. From Meta's
// pages about pricing as of 2026-03, with the nine that stand alone from
// 2026-10-01; a rate card that has a price for a country by its own name needs
// no row here.
//
//go:embed markets.csv
var marketsCSV string

type membership struct {
	market string
	from   time.Time
}

// memberships are the rows by country, the latest first.
var memberships = sync.OnceValue(func() map[string][]membership {
	rows, err := csv.NewReader(strings.NewReader(marketsCSV)).ReadAll()
	if err != nil {
		panic("billing: embedded file: " + err.Error())
	}
	list := map[string][]membership{}
	for _, r := range rows[1:] {
		m := membership{market: r[1]}
		if r[2] != "" {
			if m.from, err = time.Parse(time.DateOnly, r[2]); err != nil {
				panic("billing: embedded file: " + err.Error())
			}
		}
		list[r[0]] = append([]membership{m}, list[r[0]]...)
	}
	return list
})

// Market is the market of a country (ISO 3166-1 alpha-2) on a day: the country
// itself, a region such as rest_of_africa, or other. Empty for no country.
func Market(country string, day time.Time) string {
	if country == "" {
		return ""
	}
	for _, m := range memberships()[country] {
		if !m.from.After(day) {
			return m.market
		}
	}
	return OtherMarket
}

// Regions lists the markets that are more than one country.
func Regions() []string {
	all := map[string]bool{OtherMarket: true}
	for _, list := range memberships() {
		for _, m := range list {
			if len(m.market) != 2 {
				all[m.market] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// otherNames are spellings that rate cards use beside those of CLDR.
var otherNames = map[string]string{
	"turkey": "TR", "turkiye": "TR", "uae": "AE", "uk": "GB", "great_britain": "GB", "usa": "US", "united_states_of_america": "US",
	"russian_federation": "RU", "czech_republic": "CZ", "ivory_coast": "CI", "cote_d_ivoire": "CI", "hong_kong": "HK", "macau": "MO", "macao": "MO",
	"palestine": "PS", "korea": "KR", "republic_of_korea": "KR", "viet_nam": "VN", "swaziland": "SZ", "burma": "MM",
	"rest_of_central_and_eastern_europe": "rest_of_central_eastern_europe", "rest_of_asia_and_pacific": "rest_of_asia_pacific",
	"rest_of_apac": "rest_of_asia_pacific", "others": OtherMarket,
}

var marketNames = sync.OnceValue(func() map[string]string {
	names := maps.Clone(otherNames)
	english := display.English.Regions()
	for code := range phonenumbers.GetSupportedRegions() {
		if r, err := language.ParseRegion(code); err == nil && r.IsCountry() {
			names[fold(english.Name(r))] = code
			names[fold(code)] = code
		}
	}
	for _, r := range Regions() {
		names[r] = r
	}
	return names
})

// ParseMarket reads a market as a rate card writes it: a country by its English
// name or code, or a region, whatever the case and the marks between words.
func ParseMarket(cell string) (market string, ok bool) {
	market, ok = marketNames()[fold(cell)]
	return market, ok
}

// fold is small letters and digits, words joined by one underscore.
func fold(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		default:
			gap = true
		}
	}
	return b.String()
}

// CountryName is a country's name in English or Arabic ("ar"); a code without
// one is its own name.
func CountryName(lang, code string) string {
	r, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if lang == "ar" {
		return fmt.Sprint(display.Arabic.Regions().Name(r))
	}
	return fmt.Sprint(display.English.Regions().Name(r))
}
