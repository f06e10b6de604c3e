//go:build unix

// Package fair measures that nobody waits for a neighbour: ten workspaces send at
// once, one of which Meta throttles to a message a second while a hundred thousand
// people wait for it, and the others must keep their own rate.
//
// internal/bench calls it with a product that runs. It sees the product from
// outside, by its API and by Meta's journal.
package fair

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bareed/client"
	"bareed/internal/bench/report"
	"bareed/internal/id"
	"bareed/internal/rig"
	"bareed/sandbox"
)

// Options of Measure. The zero value of each is the demand's.
type Options struct {
	Rig       *rig.Rig
	Others    int           // workspaces beside the throttled one: 9
	PerSecond int           // that each of their campaigns asks for: 40, which two cores carry nine times
	Waiting   int           // people of the throttled one: 100,000
	For       time.Duration // measured: 15 s
	Say       func(format string, args ...any)
}

const (
	// meta is what Meta permits a neighbour's number a second. It knows two steps,
	// and refuses above them: a slower neighbour needs a pace of its own.
	meta = 80
	// settle is left out at the beginning, where the rate is being taken up.
	settle = 2 * time.Second
	// stagger is how much later than the first the last neighbour may begin: nobody
	// must run out of people before the measurement is over.
	stagger = 20 * time.Second
	// least is the share of its own rate that a neighbour must keep.
	least = 0.95
)

func (o *Options) defaults() {
	def := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	def(&o.Others, 9)
	def(&o.PerSecond, 40)
	def(&o.Waiting, 100_000)
	if o.For == 0 {
		o.For = 15 * time.Second
	}
}

// town is the workspaces, the throttled one first.
type town struct {
	Options
	tenants []*rig.Tenant
	rounds  int // of the neighbours, for the names
}

// Measure lets the neighbours send without the throttled workspace and then
// beside it. The figure is the slowest neighbour's messages a second in each.
func Measure(ctx context.Context, o Options) (report.Figure, error) {
	o.defaults()
	t := &town{Options: o}
	f := report.Figure{Group: "fairness", Name: fmt.Sprintf("%d campaigns at %d/s beside one at 1/s", o.Others, o.PerSecond), Rounds: 1,
		Against: "the slowest of them without it", Demand: least * float64(o.PerSecond)}
	if err := t.build(ctx); err != nil {
		return f, err
	}
	var err error
	if f.Ceiling, err = t.slowest(ctx); err != nil {
		return f, err
	}
	run, err := t.crowd(ctx)
	if err != nil {
		return f, err
	}
	before, err := t.Rig.Summary(ctx)
	if err != nil {
		return f, err
	}
	if f.Ours, err = t.slowest(ctx); err != nil {
		return f, err
	}
	after, err := t.Rig.Summary(ctx)
	if err != nil {
		return f, err
	}
	f.Ratio = f.Ours / f.Ceiling
	f.Note = fmt.Sprintf("the slowest of %d; the throttled one sent %d meanwhile, %d waited", o.Others, accepted(after, run)-accepted(before, run), o.Waiting)
	return f, nil
}

// build makes the workspaces.
func (t *town) build(ctx context.Context) error {
	for i := range t.Others + 1 {
		rate := meta
		if i == 0 {
			rate = 1
		}
		t.Say("fairness: workspace %d of %d", i+1, t.Others+1)
		made, err := t.Rig.MakeTenant(ctx, fmt.Sprintf("Neighbour %d", i), rig.MetaOf(500+i, rate, "TIER_UNLIMITED"))
		if err != nil {
			return fmt.Errorf("make workspace %d: %w", i, err)
		}
		t.tenants = append(t.tenants, made)
	}
	return nil
}

// crowd has the throttled workspace begin, and returns its run when Meta has
// accepted its first messages.
func (t *town) crowd(ctx context.Context) (id.Run, error) {
	t.Say("fairness: %d people for the throttled workspace", t.Waiting)
	d, err := t.define(ctx, t.tenants[0], rig.Definition{Name: "Crowd", CSV: file(t.Waiting)})
	if err != nil {
		return id.Run{}, err
	}
	run, err := t.launch(ctx, d)
	if err != nil {
		return run, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = rig.Until(ctx, 250*time.Millisecond, func() (bool, error) {
		sum, err := t.Rig.Summary(ctx)
		return accepted(sum, run) >= 3, err
	})
	if err != nil {
		return run, fmt.Errorf("wait for the throttled workspace: %w", err)
	}
	return run, nil
}

// draft is a campaign that may be launched.
type draft struct {
	tenant   *rig.Tenant
	campaign string
	eligible int64
}

// define imports people and checks a campaign to them.
func (t *town) define(ctx context.Context, tenant *rig.Tenant, d rig.Definition) (draft, error) {
	campaign, eligible, err := t.Rig.Campaign(ctx, tenant, d)
	if err != nil {
		return draft{}, fmt.Errorf("prepare %s: %w", d.Name, err)
	}
	return draft{tenant, campaign, eligible}, nil
}

func (t *town) launch(ctx context.Context, d draft) (run id.Run, err error) {
	got, err := t.Rig.Client(d.tenant.Key).LaunchCampaign(ctx, d.campaign, client.Launch{ExpectedRecipients: d.eligible})
	if err != nil {
		return run, fmt.Errorf("launch: %w", err)
	}
	return id.Parse[id.Run](got.RunID)
}

// file is a CSV of people who all gave their opt-in.
func file(people int) string {
	var b strings.Builder
	b.WriteString("phone,name,city,opt_in,opt_in_at\n")
	for i := range people {
		fmt.Fprintf(&b, "+9665%08d,Person %d,Riyadh,yes,2026-01-10\n", i, i)
	}
	return b.String()
}

// slowest has every neighbour send at once and returns the speed of the slowest
// of them, messages a second, while all of them send.
func (t *town) slowest(ctx context.Context) (float64, error) {
	t.rounds++
	people := int(float64(t.PerSecond) * (t.For + 2*settle + stagger).Seconds())
	t.Say("fairness: %d neighbours, %d people each", t.Others, people)
	var ready []draft
	for _, tenant := range t.tenants[1:] {
		d, err := t.define(ctx, tenant, rig.Definition{Name: fmt.Sprintf("Round %d", t.rounds), CSV: file(people), PerMinute: 60 * t.PerSecond})
		if err != nil {
			return 0, err
		}
		ready = append(ready, d)
	}
	sum, err := t.Rig.Summary(ctx)
	if err != nil {
		return 0, err
	}
	var runs []id.Run
	for _, d := range ready {
		run, err := t.launch(ctx, d)
		if err != nil {
			return 0, err
		}
		runs = append(runs, run)
	}
	if err := t.finish(ctx, runs, int64(people)); err != nil {
		return 0, err
	}
	return t.speed(ctx, sum.Requests)
}

// finish waits until Meta has accepted everything of the runs.
func (t *town) finish(ctx context.Context, runs []id.Run, people int64) error {
	ctx, cancel := context.WithTimeout(ctx, 4*t.For+time.Minute)
	defer cancel()
	err := rig.Until(ctx, 500*time.Millisecond, func() (bool, error) {
		sum, err := t.Rig.Summary(ctx)
		for _, run := range runs {
			if accepted(sum, run) < people {
				return false, err
			}
		}
		return true, err
	})
	if err != nil {
		return fmt.Errorf("wait for the neighbours: %w", err)
	}
	return nil
}

// speed is the slowest neighbour's, from the moment at which the last of them has
// begun, by Meta's journal behind a mark.
func (t *town) speed(ctx context.Context, after int64) (float64, error) {
	entries, err := t.Rig.Journal(ctx, after)
	if err != nil {
		return 0, err
	}
	arrived := map[string][]time.Time{}
	for _, e := range entries {
		if e.Accepted {
			arrived[e.NumberID] = append(arrived[e.NumberID], e.At)
		}
	}
	var began time.Time
	for _, tenant := range t.tenants[1:] {
		at := arrived[tenant.Meta.Number]
		if len(at) == 0 {
			return 0, fmt.Errorf("%s sent nothing", tenant.Meta.Phone)
		}
		if first := slices.MinFunc(at, time.Time.Compare); first.After(began) {
			began = first
		}
	}
	slow := math.Inf(1)
	for _, tenant := range t.tenants[1:] {
		n := 0
		for _, at := range arrived[tenant.Meta.Number] {
			if d := at.Sub(began) - settle; d >= 0 && d < t.For {
				n++
			}
		}
		slow = min(slow, float64(n)/t.For.Seconds())
	}
	return slow, nil
}

// accepted is how many messages of a run Meta has accepted.
func accepted(sum sandbox.Summary, run id.Run) int64 { return sum.ByRun[hex.EncodeToString(run[:])] }
