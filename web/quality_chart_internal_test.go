package web

import (
	"math"
	"slices"
	"testing"
	"time"

	"bareed/numbers"
)

func TestWorstOfDays(t *testing.T) {
	t.Parallel()
	riyadh := time.FixedZone("+03", 3*3600)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, riyadh)
	change := func(day, hour int, was, became string) numbers.Past {
		return numbers.Past{What: numbers.Quality, Was: was, Became: became, At: time.Date(2026, 11, day, hour, 0, 0, 0, riyadh)}
	}
	none := math.NaN()
	for name, tt := range map[string]struct {
		past   []numbers.Past
		rating string
		since  time.Time
		want   []float64 // of the last five days
	}{
		"never changed":          {nil, "GREEN", time.Time{}, []float64{3, 3, 3, 3, 3}},
		"not rated":              {nil, "UNKNOWN", time.Time{}, []float64{none, none, none, none, none}},
		"connected yesterday":    {nil, "GREEN", now.AddDate(0, 0, -1), []float64{none, none, none, 3, 3}},
		"a drop and back":        {[]numbers.Past{change(21, 9, "YELLOW", "GREEN"), change(20, 9, "GREEN", "YELLOW")}, "GREEN", time.Time{}, []float64{3, 3, 2, 2, 3}},
		"down and up in a day":   {[]numbers.Past{change(20, 9, "GREEN", "RED"), change(20, 15, "RED", "GREEN")}, "GREEN", time.Time{}, []float64{3, 3, 1, 3, 3}},
		"rated for the first":    {[]numbers.Past{change(21, 9, "UNKNOWN", "YELLOW")}, "YELLOW", time.Time{}, []float64{none, none, none, 2, 2}},
		"before the first day":   {[]numbers.Past{change(2, 9, "GREEN", "RED")}, "RED", time.Time{}, []float64{1, 1, 1, 1, 1}},
		"just after midnight":    {[]numbers.Past{change(20, 0, "GREEN", "YELLOW")}, "YELLOW", time.Time{}, []float64{3, 3, 2, 2, 2}},
		"the order is no matter": {[]numbers.Past{change(19, 9, "GREEN", "YELLOW"), change(21, 9, "YELLOW", "RED")}, "RED", time.Time{}, []float64{3, 2, 2, 1, 1}},
	} {
		days, got := worstOfDays(tt.past, tt.rating, tt.since, now, riyadh, 5)
		if !slices.EqualFunc(got, tt.want, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		if len(days) != 5 || days[4].Day() != 22 || days[0].Day() != 18 {
			t.Errorf("%s: days %v", name, days)
		}
	}
}
