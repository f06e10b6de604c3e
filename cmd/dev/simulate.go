//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"bareed/internal/simulate"
)

// simulateIt carries a campaign out in simulated time and holds the forecast to
// what came of it; the last line is for programs.
func simulateIt(ctx, _ context.Context, args []string) error {
	o := simulate.Options{Out: os.Stderr}
	f := flag.NewFlagSet("simulate", flag.ContinueOnError)
	f.IntVar(&o.People, "people", 50_000, "recipients")
	f.IntVar(&o.Limit, "limit", 10_000, "the portfolio's messaging limit; 0 for none")
	f.IntVar(&o.Rate, "rate", 80, "messages a second that Meta takes from each number")
	f.Float64Var(&o.Reserve, "reserve", 0, "share of the limit left to other tools")
	f.IntVar(&o.Pace, "per-minute", 0, "each campaign's own pace; 0 for none")
	f.IntVar(&o.Numbers, "numbers", 1, "numbers of the portfolio, each with a campaign of its own")
	f.Uint64Var(&o.Seed, "seed", 1, "of what becomes of the messages")
	f.BoolVar(&o.Rises, "rises", false, "Meta raises the limit once half of it was used")
	f.Float64Var(&o.Failures, "failures", 0.02, "share of messages that fail")
	f.Float64Var(&o.Late, "late", 0.01, "share of phones that are off for up to three hours")
	f.StringVar(&o.Waves, "waves", "by_risk", "whether campaigns go in waves: by_risk, always or never")
	if err := f.Parse(args); err != nil {
		return helped(err)
	}
	if !slices.Contains([]string{"by_risk", "always", "never"}, o.Waves) {
		return errors.New("simulate: waves is by_risk, always or never")
	}
	if f.NArg() > 0 || o.People < 1 || o.Limit < 0 || o.Rate < 1 || o.Pace < 0 || o.Numbers < 1 || o.Numbers > o.People || o.Reserve < 0 || o.Reserve >= 1 ||
		o.Failures < 0 || o.Late < 0 || o.Failures+o.Late > 1 {
		return errors.New("simulate: a flag is out of its range; see simulate -h")
	}
	r, err := simulate.Run(ctx, o)
	if err != nil {
		return err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fmt.Println(string(b))
	if !r.Good() {
		return errors.New("the forecast was off, or Meta would have refused something")
	}
	return nil
}
