//go:build unix

package simulate_test

import (
	"io"
	"testing"
	"time"

	"bareed/internal/simulate"
)

// The real code in simulated time: as foretold, and never over the limit.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]simulate.Options{
		"the limit stays":             {People: 500, Limit: 200, Rate: 80, Numbers: 1},
		"a pace of its own":           {People: 100, Limit: 400, Rate: 80, Numbers: 1, Pace: 110},
		"a reserve and three numbers": {People: 450, Limit: 250, Rate: 20, Reserve: 0.2, Numbers: 3},
		"the limit rises":             {People: 4400, Limit: 2000, Rate: 1000, Numbers: 1, Rises: true},
		"no limit":                    {People: 300, Rate: 80, Numbers: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Seed, o.Failures, o.Late, o.Out = 7, 0.02, 0.01, io.Discard
			r, err := simulate.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Good() || r.Sent != o.People || r.Delivered+r.Failed != o.People {
				t.Errorf("%+v", r)
			}
			usable := int(float64(o.Limit) * (1 - o.Reserve))
			if o.Limit > 0 && !o.Rises && o.Pace == 0 && (r.Most > usable || r.Most < usable*95/100) {
				t.Errorf("%d people within 24 hours of %d", r.Most, usable)
			}
		})
	}
}

// A million people over a thousand numbers, by the rules alone; a twentieth of
// them with the race detector.
func TestAMillionOverAThousandNumbers(t *testing.T) {
	t.Parallel()
	began := time.Now()
	r := simulate.RunRules(simulate.RulesOptions{Portfolios: 100, Numbers: 10, People: 1000 / slower, Limit: 2000 / slower, Rate: 80, Seed: 1, Failures: 0.02, Late: 0.01})
	if !r.Good() || r.Sent != 1_000_000/slower || r.Numbers != 1000 || r.Delivered+r.Failed != r.Sent || r.Most != 2000/slower {
		t.Errorf("%+v", r)
	}
	t.Logf("%d people in %v, off by %.2f %% at most", r.Sent, time.Since(began), r.ErrorPct)
	if d := time.Since(began); d > 3*time.Minute {
		t.Errorf("it took %v", d)
	}
}

func TestRulesOfOnePortfolio(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]simulate.RulesOptions{
		"fifty thousand, the limit stays":  {People: 50_000, Limit: 10_000, Rate: 80},
		"fifty thousand, the limit rises":  {People: 50_000, Limit: 10_000, Rate: 80, Rises: true},
		"nothing fails and nobody is late": {People: 50_000, Limit: 10_000, Rate: 80, Failures: -1, Late: -1},
		"coexistence, a reserve":           {People: 9000, Limit: 2000, Rate: 20, Reserve: 0.1},
		"no limit":                         {People: 20_000, Rate: 1000},
		"one a second":                     {People: 1000, Limit: 10_000, Rate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Portfolios, o.Numbers, o.Seed = 1, 1, 3
			part := slower
			if o.Rises {
				part = min(part, 5) // from 2,000, one of Meta's steps
			}
			o.People, o.Limit = o.People/part, o.Limit/part
			if o.Failures == 0 {
				o.Failures, o.Late = 0.02, 0.01
			}
			o.Failures, o.Late = max(0, o.Failures), max(0, o.Late)
			if r := simulate.RunRules(o); !r.Good() || r.Sent != o.People {
				t.Errorf("%+v", r)
			}
		})
	}
}

// The judge must be able to find a fault: with all phones off for a while the
// places come back hours later than foretold.
func TestTheForecastCanBeWrong(t *testing.T) {
	t.Parallel()
	r := simulate.RunRules(simulate.RulesOptions{Portfolios: 1, Numbers: 1, People: 3000, Limit: 1000, Rate: 80, Seed: 3, Late: 1})
	if r.ErrorPct < 1 || r.Exceeded != 0 {
		t.Errorf("%+v", r)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		4*24*time.Hour + 125*time.Second: "4 d 0 h 2 min",
		6*time.Hour + 563*time.Second:    "6 h 9 min",
		125 * time.Second:                "2 min 5 s",
		9 * time.Second:                  "9 s",
	} {
		if got := simulate.Span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
