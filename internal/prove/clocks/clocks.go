//go:build unix

// Package clocks proves that what recurs is sent when its schedule's zone says:
// campaigns in several zones, through a change of clocks, on real processes whose
// machine stands in yet another zone. The database's clock is moved from firing to
// firing, and the sandbox's journal is judged by an oracle of its own.
//
// The planted bugs call it: it is quick. internal/prove/firings is the long proof
// of schedules. It knows the product from outside.
package clocks

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/prove/stage"
	"bareed/internal/rig"
)

// Options of Run.
type Options struct {
	Out    io.Writer
	Binary string // of the product
}

// Result is what was found.
type Result struct {
	Firings  int
	Messages int
	Breaches []string
}

const (
	people = 4 // of each campaign
	// before is how long before a firing the clock is set first: whoever is early
	// by more leaves then.
	before = 30 * time.Second
	// early is how long that is watched, late how long a firing may take: both
	// in real time, which the database's clock goes by in between.
	early, late = 1500 * time.Millisecond, 25 * time.Second
	// elsewhere is where the machine stands: in none of the schedules' zones, and
	// not on the hour.
	elsewhere = "Pacific/Chatham"
)

// proof is one run in progress.
type proof struct {
	Options
	*stage.Stage
	client    *client.Client
	moves     []move
	campaigns map[string]string // by the schedule's name
	breaches  []string
}

// Run proves once. The error is the rig's; what the product did wrong is in the
// result, which ends with the first breach.
func Run(soft, hard context.Context, o Options) (r Result, err error) {
	ctx, cancel := context.WithTimeout(soft, 5*time.Minute)
	defer cancel()
	from, list, err := plans(time.Now())
	if err != nil {
		return r, err
	}
	p := &proof{Options: o, campaigns: map[string]string{}}
	if p.Stage, err = stage.Open(hard, "clocks", o.Binary, 1, 1, 80, "TZ="+elsewhere); err != nil {
		return r, err
	}
	defer p.Close()
	if err := p.prepare(ctx, from, list); err != nil {
		return r, err
	}
	for _, f := range inOrder(list) {
		if err := p.fire(ctx, list, f); err != nil {
			return r, err
		}
		if len(p.breaches) > 0 {
			break
		}
		r.Firings++
	}
	sent, err := p.sent(ctx)
	if err != nil {
		return r, err
	}
	r.Messages, r.Breaches = len(sent), append(p.breaches, Judge(list, sent, r.Firings)...)
	for _, b := range r.Breaches {
		fmt.Fprintf(o.Out, "%-10s %s\n", "BREACH", b)
	}
	return r, nil
}

// prepare launches every campaign two hours before the first day. Partitions are
// made as the scheduler would have in the months until then.
func (p *proof) prepare(ctx context.Context, from time.Time, list []Schedule) error {
	if err := p.setClock(ctx, from.Add(-2*time.Hour)); err != nil {
		return err
	}
	if _, err := p.Admin.Exec(ctx, `select ensure_partitions()`); err != nil {
		return fmt.Errorf("make partitions: %w", err)
	}
	p.client = p.Rig.Client(p.Tenant.Key)
	for _, s := range list {
		if err := p.launch(ctx, s); err != nil {
			return fmt.Errorf("launch %s: %w", s.Name, err)
		}
	}
	return nil
}

const sqlSetClock = `update clock_offset set shift = $1`

// setClock sets the database's clock to an instant, and notes when.
func (p *proof) setClock(ctx context.Context, at time.Time) error {
	now := time.Now()
	if _, err := p.Admin.Exec(ctx, sqlSetClock, at.Sub(now)); err != nil {
		return fmt.Errorf("set the database's clock: %w", err)
	}
	p.moves = append(p.moves, move{now, at.Sub(now)})
	return nil
}

// launch makes a campaign to the schedule's people. What the product says of its
// first firing is told; the journal is what is judged.
func (p *proof) launch(ctx context.Context, s Schedule) error {
	campaign, eligible, err := p.Rig.Campaign(ctx, p.Tenant, rig.Definition{Name: s.Name, Schedule: &client.Rules{Zone: s.Zone, Recurring: &s.Recurs},
		CSV: "phone,name,city,opt_in,opt_in_at\n" + strings.Join(s.lines(), "\n") + "\n"})
	if err != nil {
		return err
	}
	p.campaigns[s.Name] = campaign
	got, err := p.client.LaunchCampaign(ctx, campaign, client.Launch{ExpectedRecipients: eligible})
	if err == nil && !got.StartsAt.Equal(s.Due[0]) {
		fmt.Fprintf(p.Out, "%-10s %s is said to begin at %s, due at %s\n", "launched", s.Name, got.StartsAt.UTC(), s.Due[0].UTC())
	}
	return err
}

// fire takes the clock to shortly before a firing, looks that nobody is early,
// then to the firing, and waits until it is over.
func (p *proof) fire(ctx context.Context, list []Schedule, f firing) error {
	s := list[f.schedule]
	if err := p.setClock(ctx, f.at.Add(-before)); err != nil {
		return err
	}
	was, err := p.sent(ctx)
	if err != nil {
		return err
	}
	if !clock.Pause(ctx, early) {
		return ctx.Err()
	}
	if now, err := p.sent(ctx); err != nil || len(now) > len(was) {
		p.breaches = append(p.breaches, fmt.Sprintf("the firing of %s at %s: %d messages left before it", s.Name, f.at.UTC(), len(now)-len(was)))
		return err
	}
	if err := p.setClock(ctx, f.at); err != nil {
		return err
	}
	patient, cancel := context.WithTimeout(ctx, late)
	defer cancel()
	err = rig.Until(patient, 200*time.Millisecond, func() (bool, error) { return p.over(patient, s, f), nil })
	if err != nil && ctx.Err() == nil {
		p.breaches = append(p.breaches, fmt.Sprintf("the firing of %s at %s did not happen within %s", s.Name, f.at.UTC(), late))
		return nil
	}
	return err
}

// over tells whether everybody's message of a firing has left and the product has
// done with it.
func (p *proof) over(ctx context.Context, s Schedule, f firing) bool {
	sent, err := p.sent(ctx)
	if err != nil {
		return false
	}
	n := 0
	for _, m := range sent {
		if slices.Contains(s.People, m.To) {
			n++
		}
	}
	if n < people*(f.index+1) {
		return false
	}
	for x, err := range p.client.ListFirings(ctx, p.campaigns[s.Name]) {
		if err != nil || x.State == "running" || x.State == "finishing" {
			return false
		}
	}
	return true
}

// sent reads the journal, in the database's time.
func (p *proof) sent(ctx context.Context) (list []Sent, err error) {
	all, err := p.Rig.Journal(ctx, 0)
	for _, e := range all {
		list = append(list, Sent{To: "+" + strings.TrimPrefix(e.Recipient, "+"), At: e.At.Add(shiftAt(p.moves, e.At)), Accepted: e.Accepted})
	}
	return list, err
}
