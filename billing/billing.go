// Package billing owns what Meta charges and why: amounts of money, the markets
// that countries belong to, and the rules of pricing by their dates.
//
// The packages below it use it: ratecard keeps the prices that a workspace
// uploads, estimate and cost apply them before and after a campaign, budget
// caps them. It holds no price of its own, reads no database, and must not know
// campaigns, HTTP or Meta's API.
package billing

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unit is how many micros one whole unit of a currency has.
const Unit = 1_000_000

// Money is an amount in millionths of its currency (ISO 4217).
type Money struct {
	Micros   int64  `json:"amount_micros" doc:"Millionths of the currency's unit"`
	Currency string `json:"currency" doc:"ISO 4217"`
}

// String is the amount as a person writes it, with its currency behind it.
func (m Money) String() string { return Decimal(m.Micros) + " " + m.Currency }

// Decimal writes micros exactly, with two places or as many as are needed.
func Decimal(micros int64) string {
	sign := ""
	if micros < 0 {
		sign = "-"
	}
	n := micros
	if n < 0 {
		n = -n
	}
	places := strings.TrimRight(fmt.Sprintf("%06d", uint64(n)%Unit), "0")
	for len(places) < 2 {
		places += "0"
	}
	return sign + strconv.FormatUint(uint64(n)/Unit, 10) + "." + places
}

// ParseDecimal reads what Decimal writes: digits, at most one point and at most
// six places. No sign, no exponent, no separators of thousands. ok is false for
// anything else, and for what is more than max micros.
func ParseDecimal(s string, max int64) (micros int64, ok bool) {
	whole, places, pointed := strings.Cut(s, ".")
	if whole == "" || pointed && places == "" || len(places) > 6 || len(whole) > 12 || !digits(whole) || !digits(places) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+places+strings.Repeat("0", 6-len(places)), 10, 64)
	if err != nil || n > max {
		return 0, false
	}
	return n, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Day is a day of the calendar as midnight UTC, so that two compare by their
// dates; in which zone a moment has that date is the caller's knowledge.
func Day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// DayOf is the day of a moment in a zone.
func DayOf(at time.Time, zone *time.Location) time.Time { return Day(at.In(zone).Date()) }

// MonthOf is the first day of a day's month: Meta's volume tiers begin anew.
func MonthOf(day time.Time) time.Time { return Day(day.Year(), day.Month(), 1) }
