package schedule

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// ZoneOf is the zone of a person: of their phone (E.164, with + or without), else of the
// country their business-scoped id begins with, else the fallback. at is when it
// matters.
//
// A phone's prefix or a country can lie in several zones. Of those the middle one
// by clock is taken, of two middle ones the western: nobody is then further from
// their own time than half of their country's width, and sooner too late in the
// morning than too early.
func ZoneOf(phone, bsuid, fallback string, at time.Time) string {
	prefix := strings.TrimPrefix(phone, "+")
	if prefix == "" {
		country, _, ok := strings.Cut(bsuid, ".")
		if code := phonenumbers.GetCountryCodeForRegion(country); ok && code > 0 {
			prefix = strconv.Itoa(code)
		}
	}
	if prefix == "" {
		return fallback
	}
	names, err := phonenumbers.GetTimezonesForPrefix(prefix)
	if err != nil {
		return fallback
	}
	return middle(names, fallback, at)
}

// middle is the zone in the middle of those that clocks of the host know.
func middle(names []string, fallback string, at time.Time) string {
	type zone struct {
		name   string
		offset int
	}
	var zones []zone
	for _, name := range names {
		loc, err := parseZone(name)
		if err != nil {
			continue
		}
		_, offset := at.In(loc).Zone()
		zones = append(zones, zone{name, offset})
	}
	if len(zones) == 0 {
		return fallback
	}
	slices.SortFunc(zones, func(a, b zone) int {
		if a.offset != b.offset {
			return a.offset - b.offset
		}
		return strings.Compare(a.name, b.name)
	})
	return zones[(len(zones)-1)/2].name
}

// Person is when one person is due at a firing in everybody's own zone: not
// before From, and not at Until or later, as their hours have it.
func (r *Rules) Person(t Time, hours *Hours, loc *time.Location) (from, until time.Time) {
	wall := t.Wall()
	if wall == nil {
		return t.At, time.Time{}
	}
	return hours.Around(Resolve(*wall, loc), loc)
}
