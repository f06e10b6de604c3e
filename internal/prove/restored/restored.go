//go:build unix

// Package restored is the part of the proof that is about a PostgreSQL that has
// lost committed work (F11): in the middle of a campaign it is exchanged for an
// older copy of itself, while Redis and the processes stay. Everybody must be
// held with a clear reason, and nobody messaged twice.
//
// cmd/dev runs it in the long proof.
package restored

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/prove"
	"bareed/internal/prove/stage"
	"bareed/internal/rig"
	"bareed/sandbox"
)

// Options of Run.
type Options struct {
	Out    io.Writer
	Binary string
}

const (
	people = 2000
	lost   = 8 * time.Second  // of work
	notice = 10 * time.Second // in which the hold must be there
)

// trial is one run in progress.
type trial struct {
	Options
	*stage.Stage
	campaign string

	before   int64 // accepted when the copy was made
	lost     int64 // accepted since, which the copy knows nothing of
	held     time.Duration
	reason   string
	after    int64 // accepted after the copy came back
	twice    int
	breaches []string
}

// Run loses some seconds and judges. The error is about the rig itself.
func Run(soft, hard context.Context, o Options) (prove.Report, error) {
	began := time.Now()
	s, err := stage.Open(hard, "restored", o.Binary, 2, 1, 80)
	if err != nil {
		return prove.Report{}, err
	}
	defer s.Close()
	t := &trial{Options: o, Stage: s}
	for _, do := range []func(context.Context) error{t.send, t.lose, t.wait, t.judge} {
		if err := do(soft); err != nil {
			return prove.Report{}, err
		}
	}
	return t.report(time.Since(began)), nil
}

func (t *trial) accepted(ctx context.Context) (int64, error) {
	var sum sandbox.Summary
	err := t.Rig.Control(ctx, "/sandbox/journal/summary", nil, &sum)
	return sum.Accepted, err
}

// send launches, and returns when messages leave.
func (t *trial) send(ctx context.Context) error {
	var csv strings.Builder
	csv.WriteString("phone,name,city,opt_in,opt_in_at\n")
	for i := range people {
		fmt.Fprintf(&csv, "+96655%07d,Person %d,Riyadh,yes,2026-01-02\n", i, i)
	}
	campaign, eligible, err := t.Rig.Campaign(ctx, t.Tenant, rig.Definition{Name: "Restored", CSV: csv.String()})
	if err != nil {
		return err
	}
	t.campaign = campaign
	if _, err := t.Rig.Client(t.Tenant.Key).LaunchCampaign(ctx, campaign, client.Launch{ExpectedRecipients: eligible}); err != nil {
		return err
	}
	return rig.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		n, err := t.accepted(ctx)
		return n > 200, err
	})
}

// lose takes a copy, lets messages leave for a while and brings the copy back.
func (t *trial) lose(ctx context.Context) (err error) {
	if err := t.Servers.CopyPostgres(ctx); err != nil {
		return err
	}
	if t.before, err = t.accepted(ctx); err != nil {
		return err
	}
	clock.Pause(ctx, lost)
	if err := t.Servers.RestorePostgres(ctx); err != nil {
		return err
	}
	n, err := t.accepted(ctx)
	t.lost = n - t.before
	if t.lost < 100 {
		return fmt.Errorf("only %d messages left between copy and restore", t.lost)
	}
	fmt.Fprintf(t.Out, "%-10s %d messages lost from the ledger\n", "restored", t.lost)
	return err
}

// wait waits for the hold, and then longer than anything could still be offered.
func (t *trial) wait(ctx context.Context) error {
	back := time.Now()
	seen, cancel := context.WithTimeout(ctx, notice)
	defer cancel()
	err := rig.Until(seen, 100*time.Millisecond, func() (bool, error) {
		r, err := t.Rig.Client(t.Tenant.Key).GetReport(seen, t.campaign)
		if err != nil || !r.Holding {
			return false, nil // the API finds its connections again
		}
		t.reason = r.Stops[0].Reason
		return true, nil
	})
	if t.held = time.Since(back); err != nil {
		t.breach("the campaign was not held within %.0f s of the restore", notice.Seconds())
	}
	clock.Pause(ctx, 15*time.Second)
	return ctx.Err()
}

func (t *trial) breach(format string, args ...any) {
	t.breaches = append(t.breaches, fmt.Sprintf(format, args...))
}

func (t *trial) judge(ctx context.Context) error {
	entries, err := t.Rig.Journal(ctx, 0)
	if err != nil {
		return err
	}
	accepted := map[string]int{}
	for _, e := range entries {
		if e.Accepted {
			if accepted[e.Recipient]++; accepted[e.Recipient] == 2 {
				t.twice++
			}
			t.after++
		}
	}
	t.after -= t.before + t.lost
	if t.twice > 0 {
		t.breach("%d people were messaged twice", t.twice)
	}
	return nil
}

func (t *trial) report(took time.Duration) prove.Report {
	return prove.Report{Title: "A restored copy", Seconds: took.Seconds(), Breaches: t.breaches,
		Summary: fmt.Sprintf("%d people, %.0f seconds.", people, took.Seconds()),
		Demands: []prove.Demand{
			{Name: "F11 messaged twice", Asked: "0", Found: fmt.Sprintf("%d, of %d that the copy knew nothing of", t.twice, t.lost)},
			{Name: "F11 held with a reason", Asked: fmt.Sprintf("≤ %.0f s", notice.Seconds()), Found: fmt.Sprintf("%q after %.1f s", t.reason, t.held.Seconds())},
		},
		Done: fmt.Sprintf("Done to it: PostgreSQL was exchanged for a copy %.0f s old while messages left; Redis and every process stayed. %d messages left after that.",
			lost.Seconds(), t.after)}
}
