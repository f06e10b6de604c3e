package growth_test

import (
	"fmt"
	"testing"
	"time"

	"bareed/campaigns/growth"
)

var first = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// list is 60,000 people at a limit of 2,000, ten thousand of them with a fresh consent.
func list() growth.Input {
	return growth.Input{Starts: first, Limit: 2000, List: 60_000, Fresh: 5000, Reserve: 0.1, Good: true}
}

func days(p growth.Growth) string {
	text := ""
	for _, d := range p.Days {
		text += fmt.Sprintf("%s at %d: %d (%d fresh)", d.Date[5:], d.Limit, d.Send, d.Fresh)
		if d.Earns != nil {
			text += fmt.Sprintf(" earns %d", *d.Earns)
		}
		if d.Review {
			text += " review"
		}
		text += "; "
	}
	return text
}

func TestSixtyThousandFromTwoThousand(t *testing.T) {
	t.Parallel()
	p := growth.Make(list())
	// 1,000 must arrive and 19 of 20 do: 1,053; then 5,000 less those 1,000; then the rest fits.
	want := "12-01 at 2000: 1053 (1053 fresh) earns 10000; 12-02 at 10000: 4211 (3947 fresh) earns 100000; 12-03 at 100000: 54736 (0 fresh); "
	if got := days(p); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if p.Why != "" || p.Needed != 1053 || p.Ends != 100_000 || p.Without != 34 || p.Left != 0 {
		t.Errorf("%+v", p)
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*growth.Input)
		why    string
		days   int
		ends   int64
		needed int64
	}{
		"no limit":                   {func(in *growth.Input) { in.Limit = 0 }, growth.Unlimited, 1, 0, 0},
		"the list fits":              {func(in *growth.Input) { in.List = 1800 }, growth.Enough, 1, 2000, 1053},
		"one too many":               {func(in *growth.Input) { in.List = 1801 }, "", 2, 10_000, 1053},
		"quality is not high":        {func(in *growth.Input) { in.Good = false }, growth.Quality, 34, 2000, 1053},
		"the limit wanted is there":  {func(in *growth.Input) { in.Target = 2000 }, growth.Target, 34, 2000, 1053},
		"no further than 10,000":     {func(in *growth.Input) { in.Target = 10_000 }, "", 8, 10_000, 1053},
		"all of it reached already":  {func(in *growth.Input) { in.Reached = 1000 }, "", 3, 100_000, 0},
		"half of it reached already": {func(in *growth.Input) { in.Reached = 500 }, "", 3, 100_000, 527},
		"no more than 500 a day":     {func(in *growth.Input) { in.PerDay = 500 }, "", 121, 10_000, 1053},
		"below 2,000":                {func(in *growth.Input) { in.Limit = 250 }, growth.Review, 267, 250, 132},
		"the last step":              {func(in *growth.Input) { in.Limit, in.List = 100_000, 200_000 }, "", 2, 0, 52_632},
		"nobody":                     {func(in *growth.Input) { in.List = 0 }, growth.Enough, 0, 2000, 1053},
		"nothing may be used":        {func(in *growth.Input) { in.Reserve = 0.9999 }, "", 0, 2000, 1053},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := list()
			c.change(&in)
			p := growth.Make(in)
			if p.Why != c.why || len(p.Days) != c.days || p.Ends != c.ends || p.Needed != c.needed {
				t.Errorf("%q in %d days to %d, %d needed; want %q in %d days to %d, %d", p.Why, len(p.Days), p.Ends, p.Needed, c.why, c.days, c.ends, c.needed)
			}
			sent, fresh := p.Left, int64(0)
			for _, d := range p.Days {
				sent, fresh = sent+d.Send, fresh+d.Fresh
				if d.Limit > 0 && d.Send > d.Limit-d.Limit/10 {
					t.Errorf("%s: %d at a limit of %d with a reserve", d.Date, d.Send, d.Limit)
				}
			}
			if sent != in.List || p.Left == 0 && fresh != min(in.Fresh, in.List) {
				t.Errorf("%d people of %d, %d fresh", sent, in.List, fresh)
			}
		})
	}
}

// Meta looks at a new portfolio once 2,000 people were reached within 30 days.
func TestReview(t *testing.T) {
	t.Parallel()
	in := list()
	in.Limit, in.List = 250, 5000
	for i, d := range growth.Make(in).Days {
		if d.Review != (i == 9) { // 225 a day, 19 of 20 arrive: 2,138 after the tenth
			t.Errorf("day %d: review %v", i+1, d.Review)
		}
	}
}

// Never faster than a step a day, and never a step whose half was not reached in
// seven days.
func TestStepsAreEarned(t *testing.T) {
	t.Parallel()
	for _, reserve := range []float64{0, 0.3, 0.6, 0.9} {
		for _, people := range []int64{1500, 7000, 30_000, 500_000} {
			in := list()
			in.Reserve, in.List = reserve, people
			p := growth.Make(in)
			for i, d := range p.Days {
				if d.Earns == nil {
					continue
				}
				week := 0.0
				for _, e := range p.Days[max(0, i-6) : i+1] {
					week += 0.95 * float64(e.Send)
				}
				if week < 0.5*float64(d.Limit)-1e-6 {
					t.Errorf("reserve %v, %d people, day %d: %v reached within a week at %d", reserve, people, i+1, week, d.Limit)
				}
			}
		}
	}
}
