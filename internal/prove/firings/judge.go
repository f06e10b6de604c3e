//go:build unix

package firings

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bareed/client"
	"bareed/internal/prove"
)

// judge compares what each campaign says with the oracle, and the journal of the
// sandbox with both: each firing is one accepted request.
func (t *trial) judge(ctx context.Context) error {
	entries, err := t.Rig.Journal(ctx, 0)
	if err != nil {
		return err
	}
	accepted := map[string]int{} // run and phone
	total := 0
	for _, e := range entries {
		if e.Accepted {
			total++
			accepted[strings.Split(e.CallbackData+"..", ".")[1]+"+"+strings.TrimPrefix(e.Recipient, "+")]++
		}
	}
	if total != t.firings {
		t.breach("Meta accepted %d messages, there were %d firings", total, t.firings)
	}
	for _, p := range t.plans {
		if err := t.compare(ctx, p, accepted); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) breach(format string, args ...any) {
	t.breaches = append(t.breaches, fmt.Sprintf(format, args...))
}

func (t *trial) compare(ctx context.Context, p *plan, accepted map[string]int) error {
	var fired []time.Time
	for f, err := range t.Rig.Client(t.Tenant.Key).ListFirings(ctx, p.campaign) {
		if err != nil {
			return err
		}
		if f.State == "planning" { // the one that waits
			continue
		}
		if f.State != "completed" {
			t.breach("%s %02d:30: the firing of %s is %s (%s)", p.zone, p.hour, f.Local, f.State, f.Reason)
		}
		if n := accepted[runOf(f)+p.phone]; n != 1 {
			t.breach("%s %02d:30: the firing of %s was sent %d times", p.zone, p.hour, f.Local, n)
		}
		fired = append(fired, f.StartsAt.UTC())
	}
	slices.Reverse(fired)
	if !slices.EqualFunc(fired, p.wants, time.Time.Equal) {
		t.breach("%s %02d:30 fired %d times and should %d times, or not at its times: %v, wanted %v", p.zone, p.hour, len(fired), len(p.wants), fired, p.wants)
	}
	return nil
}

func runOf(f client.Firing) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(f.RunID, "run_"), "-", ""))
}

func (t *trial) report(took time.Duration) prove.Report {
	return prove.Report{Title: "Schedules", Seconds: took.Seconds(), Breaches: t.breaches,
		Summary: fmt.Sprintf("%d campaigns in %d zones, %s to %s, %.0f seconds.", len(t.plans), len(zones()), t.from.Format(time.DateOnly),
			t.to.Format(time.DateOnly), took.Seconds()),
		Demands: []prove.Demand{
			{Name: "F10 each firing once, at its instant", Asked: fmt.Sprint(t.firings), Found: fmt.Sprintf("%d breaches", len(t.breaches))},
			{Name: "F10 the next scheduler leads", Asked: "≤ 5 s", Found: fmt.Sprintf("%.1f s at most, of %d kills", t.slowest.Seconds(), t.killed)},
		},
		Done: fmt.Sprintf("Done to it: the leading scheduler was killed %d times while campaigns were due; the clock went through every change of clocks in these zones.", t.killed)}
}
