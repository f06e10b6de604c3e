//go:build unix

package firings

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"bareed/client"
	"bareed/internal/prove"
	"bareed/internal/prove/stage"
	"bareed/internal/rig"
)

const (
	hours   = 6  // of the night, one campaign each in each zone
	kills   = 20 // of the leading scheduler
	handing = 5 * time.Second
)

// Options of Run.
type Options struct {
	Out    io.Writer
	Binary string
	Seed   uint64
}

// trial is one run in progress.
type trial struct {
	Options
	*stage.Stage
	from, to time.Time
	plans    []*plan

	killed, firings int
	slowest         time.Duration
	breaches        []string
}

// plan is one campaign that fires every night.
type plan struct {
	zone     string
	hour     int
	phone    string
	campaign string
	wants    []time.Time
}

// Run lets two weeks pass and judges. The error is about the rig itself.
func Run(soft, hard context.Context, o Options) (prove.Report, error) {
	began := time.Now()
	s, err := stage.Open(hard, "firings", o.Binary, 1, 2, 80)
	if err != nil {
		return prove.Report{}, err
	}
	defer s.Close()
	t := &trial{Options: o, Stage: s}
	for _, do := range []func(context.Context) error{t.prepare, t.pass, t.judge} {
		if err := do(soft); err != nil {
			return prove.Report{}, err
		}
	}
	return t.report(time.Since(began)), nil
}

const sqlClock = `update clock_offset set shift = $1::timestamptz - clock_timestamp()`

// clock moves the database's clock.
func (t *trial) clock(ctx context.Context, to time.Time) error {
	if _, err := t.Admin.Exec(ctx, sqlClock, to); err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	return nil
}

// prepare launches every campaign just before the first night.
func (t *trial) prepare(ctx context.Context) error {
	t.from, t.to = span(time.Now())
	if err := t.clock(ctx, t.from); err != nil {
		return err
	}
	for _, zone := range zones() {
		for hour := range hours {
			wants, err := instants(zone, hour, 30, t.from.Add(10*time.Minute), t.to) // all are launched by then
			if err != nil {
				return err
			}
			t.firings += len(wants)
			t.plans = append(t.plans, &plan{zone: zone, hour: hour, phone: fmt.Sprintf("+96651%07d", len(t.plans)), wants: wants})
		}
	}
	fmt.Fprintf(t.Out, "%-10s %d firings of %d campaigns\n", "schedules", t.firings, len(t.plans))
	var wg sync.WaitGroup
	problems := make(chan error, len(t.plans))
	for list := range slices.Chunk(t.plans, len(t.plans)/4) {
		wg.Go(func() {
			for _, p := range list {
				if err := t.launch(ctx, p); err != nil {
					problems <- fmt.Errorf("launch in %s: %w", p.zone, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(problems)
	return <-problems
}

func (t *trial) launch(ctx context.Context, p *plan) (err error) {
	p.campaign, _, err = t.Rig.Campaign(ctx, t.Tenant, rig.Definition{Name: fmt.Sprintf("%s %02d:30", p.zone, p.hour),
		CSV:      "phone,name,city,opt_in,opt_in_at\n" + p.phone + ",Sara,Riyadh,yes,2026-01-02\n",
		Schedule: &client.Rules{Zone: p.zone, Recurring: &client.Recurrence{Every: "day", Time: fmt.Sprintf("%02d:30", p.hour)}}})
	if err != nil {
		return err
	}
	_, err = t.Rig.Client(t.Tenant.Key).LaunchCampaign(ctx, p.campaign, client.Launch{ExpectedRecipients: 1})
	return err
}

const sqlDue = `
select count(*)
from run
where state = 'planning'
  and starts_at <= bareed_now()`

// pass lets hour after hour pass. In some the leading scheduler is killed while
// campaigns are due.
func (t *trial) pass(ctx context.Context) error {
	r := rand.New(rand.NewPCG(t.Seed, 10))
	all := int(t.to.Sub(t.from) / time.Hour)
	for i := range all {
		if err := t.clock(ctx, t.from.Add(time.Duration(i+1)*time.Hour)); err != nil {
			return err
		}
		if i%(all/kills) == 0 && t.killed < kills {
			if err := t.kill(ctx, time.Duration(r.IntN(300))*time.Millisecond); err != nil {
				return err
			}
		}
		if err := t.none(ctx, "begin", sqlDue); err != nil {
			return err
		}
		if i%48 == 47 {
			fmt.Fprintf(t.Out, "%-10s %d of %d hours, %d kills\n", "schedules", i+1, all, t.killed)
		}
	}
	return t.none(ctx, "end", `select count(*) from run where state in ('running', 'finishing')`)
}

// none waits until a count is 0.
func (t *trial) none(ctx context.Context, what, sql string) error {
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	n := -1
	err := rig.Until(wait, 20*time.Millisecond, func() (bool, error) {
		return t.Admin.QueryRow(wait, sql).Scan(&n) == nil && n == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%d runs did not %s within a minute: %w", n, what, err)
	}
	return nil
}
