//go:build unix

// Package simulate carries a campaign out in simulated time and compares when
// its last message left with what the check had foretold.
//
// What is real: the check and its forecast, the plan, the launch, the scheduler's
// feed with its places under the messaging limit and their sweep, the waves with their gates, the worker's
// claim and record, the application of receipts (all of it SQL on a private
// PostgreSQL whose clock is set before each step), and the limiter's scripts on a
// private Redis. What is not there: asynq, HTTP, processes and waiting. What is
// played: Meta, by a seeded model of deliveries and failures. The judge is the
// sandbox's own count of people by delivery, which shares no code with the product.
//
// cmd/dev calls it. A second way, for a million people over a thousand numbers,
// drives the rules alone, without SQL: see rules.go.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Options say what is simulated; zero values are the defaults of Filled.
type Options struct {
	People   int
	Limit    int     // people in 24 h; 0: unlimited
	Rate     int     // Meta's messages a second of each number
	Reserve  float64 // share of the limit left to other tools
	Pace     int     // each campaign's own messages a minute; 0: none of its own
	Numbers  int     // of the one portfolio; the people are shared among as many campaigns
	Seed     uint64
	Rises    bool    // Meta raises the limit once half of it was used, and the second line is judged
	Failures float64 // share of messages that Meta reports as failed
	Late     float64 // share of phones that are off for a while
	Waves    string  // by_risk, always, never; empty: as the product's default
	Out      io.Writer
}

// Result is what came of it.
type Result struct {
	Line      string  `json:"line"` // limit_stays or limit_rises
	People    int     `json:"people"`
	Limit     int     `json:"limit"`
	Rate      int     `json:"rate"`
	Reserve   float64 `json:"reserve"`
	Pace      int     `json:"per_minute,omitempty"`
	Waves     []int64 `json:"waves,omitempty"` // who was to be reached by the end of each but the last
	Numbers   int     `json:"numbers"`
	Seed      uint64  `json:"seed"`
	Predicted float64 `json:"predicted_s"` // from the launch to the last message, as the check said
	Actual    float64 `json:"actual_s"`    // as it was
	ErrorPct  float64 `json:"error_pct"`
	Sent      int     `json:"sent"`
	Delivered int     `json:"delivered"`
	Failed    int     `json:"failed"`
	Most      int     `json:"most_in_24h"`    // different people Meta delivered to within any 24 hours
	Exceeded  int     `json:"limit_exceeded"` // deliveries that Meta's count refused
	RateOver  int     `json:"rate_exceeded"`  // messages that were one too many in their second
	Twice     int     `json:"sent_twice"`
	Left      int     `json:"not_sent"`
}

// Good tells whether the prediction held and Meta had nothing to refuse.
func (r Result) Good() bool {
	return r.ErrorPct <= 5 && r.Exceeded == 0 && r.RateOver == 0 && r.Twice == 0 && r.Left == 0
}

// tolerance of short campaigns: a forecast speaks in whole seconds, and a
// number's first departure waits one (package limits).
const tolerance = 2.0

func (r *Result) compare() {
	off := max(0, math.Abs(r.Predicted-r.Actual)-tolerance)
	r.ErrorPct = math.Round(1e4*off/max(1, r.Predicted)) / 100
}

// ErrForecast means that there was nothing to compare with.
var ErrForecast = errors.New("the check foretold no end")

// Run simulates a campaign.
func Run(ctx context.Context, o Options) (Result, error) {
	r := Result{Line: "limit_stays", People: o.People, Limit: o.Limit, Rate: o.Rate, Reserve: o.Reserve, Pace: o.Pace, Numbers: o.Numbers, Seed: o.Seed}
	if o.Rises {
		r.Line = "limit_rises"
	}
	w, err := newWorld(ctx, o)
	if err != nil {
		return r, err
	}
	defer w.close()
	began := time.Now()
	predicted, err := w.launch(ctx)
	if err != nil {
		return r, err
	}
	r.Predicted, r.Waves = seconds(predicted), w.waves
	w.say("predicted", "the last message leaves after %s (%s)", Span(predicted), r.Line)
	d := newDrive(w, predicted)
	if err := d.run(ctx); err != nil {
		return r, err
	}
	d.result(&r)
	r.compare()
	w.say("actual", "the last message left after %s; %.2f %% off; simulated in %s", Span(d.last.Sub(w.began)), r.ErrorPct, time.Since(began).Round(time.Second))
	return r, nil
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

// Span writes a duration as people read it: 4 d 0 h 2 min.
func Span(d time.Duration) string {
	s := int64(math.Round(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 86_400:
		return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d d %d h %d min", s/86_400, s/3600%24, s/60%60)
}
