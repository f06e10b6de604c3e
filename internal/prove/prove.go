//go:build unix

// Package prove is the proof of the product's promises: it runs the real
// processes on a durable PostgreSQL and a Redis of their own, with every
// connection through a proxy, breaks them by a plan drawn from a seed, and has
// the sandbox's journal judged at the end.
//
// cmd/dev calls it. It knows the product from outside: its command line, its
// API, its tables as far as they are compared with the journal.
package prove

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bareed/internal/devenv"
	"bareed/internal/prove/judge"
	"bareed/internal/prove/nemesis"
	"bareed/internal/rig"
	"bareed/sandbox"
)

// Options of Run. The zero value of each is the short proof's.
type Options struct {
	Out     io.Writer
	Seed    uint64        // 0 for one of its own
	People  int           // 5000
	Kills   int           // 25
	Flushes int           // 2
	Crashes int           // 1
	Length  time.Duration // of the sending under faults
	Rate    int           // messages a second of the number: 80 or, raised by Meta, 1000
	Refuse  int           // of the people, who opt out: one in so many, 50
	Policy  string        // of unknown outcomes: hold, which is the workspace's, or evidence
	Quiet   bool          // do not print the plan
	Binary  string        // of the product; empty builds it

	Name string // of the plan, when it is not the drawn one
	// Plan replaces the drawn plan, Faults the standing faults, for a proof of
	// one thing. Paced is a campaign's own speed, messages a minute.
	Plan   func(Options, []string) []nemesis.Step
	Faults []sandbox.Fault
	Clean  bool // no answer is uncertain: nothing may end unconfirmed
	Paced  int

	Buttons int // how many of the dashboard must have been pressed
}

// Result is what one proof found.
type Result struct {
	Name       string           `json:"plan,omitempty"` // of a plan for one demand
	Policy     string           `json:"policy,omitempty"`
	Seed       uint64           `json:"seed"`
	People     int              `json:"people"`
	Seconds    float64          `json:"seconds"`
	Faults     map[string]int   `json:"faults"`
	Meta       map[string]int64 `json:"answers_of_meta"`
	Restarts   int              `json:"restarts"`
	Samples    int              `json:"samples_of_the_identity"`
	Imbalanced int              `json:"imbalanced_samples"`
	judge.Figures
	History string `json:"history,omitempty"`

	possible, rate int
}

// Good tells whether nothing was breached.
func (r Result) Good() bool { return len(r.Breaches) == 0 }

const (
	workers    = 2
	schedulers = 2
	slots      = 32 // of each worker
)

func (o *Options) defaults() {
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	o.People, o.Refuse = or(o.People, 5000), or(o.Refuse, 50)
	if o.Plan == nil {
		o.Kills, o.Flushes, o.Crashes = or(o.Kills, 25), or(o.Flushes, 2), or(o.Crashes, 1)
	}
	o.Length = or(o.Length, 38*time.Second)
	if o.Rate == 0 && o.Plan == nil { // the number could do more: paced, the sending lasts as long as the plan
		o.Rate, o.Paced = 1000, or(o.Paced, 5400)
	}
	o.Rate = or(o.Rate, 80)
	if o.Faults == nil {
		o.Faults = nemesis.Standing(0.002)
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// proof is one run in progress.
type proof struct {
	Options
	dir     string // outlives the servers when something was breached
	servers *devenv.Durable
	world   *nemesis.World
	history *history
	sup     *supervisor
	lag     *lag
	samples *sampler
	work    *work
	judged  judge.Case
	hard    context.Context
}

// Run proves once. The error is about the rig itself; what the product did wrong
// is in the result.
func Run(soft, hard context.Context, o Options) (Result, error) {
	o.defaults()
	began := time.Now()
	ctx, cancel := context.WithCancel(soft)
	defer cancel()
	p := &proof{Options: o, hard: hard}
	r := Result{Name: o.Name, Policy: o.Policy, Seed: o.Seed, People: o.People}
	defer p.close()
	if err := p.open(ctx); err != nil {
		return r, p.explain(err)
	}
	p.say("seed", "%d: %d people, %d kills, %d flushes of Redis, %d crashes of PostgreSQL", o.Seed, o.People, o.Kills, o.Flushes, o.Crashes)
	if err := p.work.prepare(ctx); err != nil {
		return r, p.explain(fmt.Errorf("prepare the campaigns: %w", err))
	}
	p.say("ready", "everything runs after %.1f s", time.Since(began).Seconds())
	end, err := p.disturb(ctx)
	if err != nil {
		return r, p.explain(err)
	}
	settled := p.settle(ctx)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	r.Figures, err = p.verdict(ctx, end)
	if err != nil {
		return r, err
	}
	if settled != nil {
		r.Breaches = append(r.Breaches, settled.Error())
	}
	p.fill(&r)
	if n := r.Faults[nemesis.Buttons]; n < o.Buttons {
		r.Breaches = append(r.Breaches, fmt.Sprintf("%d buttons pressed, %d are wanted", n, o.Buttons))
	}
	r.Seconds = time.Since(began).Seconds()
	if !r.Good() {
		r.History = p.history.keep()
	}
	return r, nil
}

// explain adds the processes' last words to a fault of the rig.
func (p *proof) explain(err error) error {
	b, _ := os.ReadFile(filepath.Join(p.dir, "processes.log")) // none is as good
	if len(b) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, b[max(0, len(b)-2000):])
}

// open starts everything.
func (p *proof) open(ctx context.Context) (err error) {
	if p.dir, err = os.MkdirTemp("", "bareed-prove-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	if p.history, err = newHistory(filepath.Join(p.dir, "history.jsonl")); err != nil {
		return err
	}
	if p.servers, err = devenv.StartDurable(p.hard, "prove", io.Discard); err != nil {
		return err
	}
	if p.Binary == "" {
		if p.Binary, err = rig.Build(ctx, p.dir, p.Out); err != nil {
			return err
		}
	}
	if p.world, err = p.makeWorld(ctx); err != nil {
		return err
	}
	p.sup = supervise(p.hard, p.world.Rig, p.history)
	p.lag = watchLag(p.hard)
	p.work = &work{proof: p}
	return nil
}

func (p *proof) close() {
	if p.samples != nil {
		p.samples.stop()
	}
	if p.sup != nil {
		p.sup.stop()
	}
	if p.world != nil {
		p.world.Rig.Stop()
		p.world.Net.Close()
		p.world.Admin.Close()
		p.world.Redis.Close()
		p.world.Inspector.Close()
	}
	if p.lag != nil {
		p.lag.stop()
	}
	if p.servers != nil {
		p.servers.Close()
	}
	if p.history != nil {
		p.history.close()
	}
	if p.dir != "" && (p.history == nil || !p.history.kept) {
		os.RemoveAll(p.dir)
	}
}

// disturb launches and carries the plan out; it returns when the sending under
// faults ended.
func (p *proof) disturb(ctx context.Context) (end time.Time, err error) {
	w := p.world
	if err := w.Rig.Control(ctx, "/sandbox/scenario", nemesis.Settled(), nil); err != nil {
		return end, err
	}
	if err := w.AddFaults(ctx, p.Faults); err != nil {
		return end, err
	}
	var plan []nemesis.Step
	if p.Plan != nil {
		plan = p.Plan(p.Options, p.work.mayRefuse())
	} else {
		plan = nemesis.Make(p.Seed, nemesis.Options{Length: p.Length, Kills: p.Kills, Flushes: p.Flushes, Crashes: p.Crashes, Workers: workers,
			Refusals: p.People / p.Refuse, People: p.work.mayRefuse(), Campaigns: p.work.names()})
	}
	if !p.Quiet {
		for _, s := range plan {
			fmt.Fprintln(p.Out, "          ", s)
		}
	}
	p.samples = sample(p.hard, w.Admin, p.work)
	if err := p.work.launch(ctx); err != nil {
		return end, fmt.Errorf("launch: %w", err)
	}
	defer p.work.operate(ctx)()
	if err := w.Run(ctx, plan); err != nil {
		return end, err
	}
	end = time.Now()
	p.say("disturbed", "%s", p.work.progress(ctx))
	return end, w.Calm(ctx)
}

func (p *proof) say(what, format string, args ...any) {
	fmt.Fprintf(p.Out, "%-10s %s\n", what, fmt.Sprintf(format, args...))
}

func (p *proof) fill(r *Result) {
	r.Faults, r.Meta = p.world.Counts(), p.judged.Summary.ByFate
	r.possible, r.rate = p.judged.Possible, p.Rate
	r.Restarts = p.sup.restarts("")
	r.Samples, r.Imbalanced = p.samples.figures()
	if r.Imbalanced > 0 {
		r.Breaches = append(r.Breaches, fmt.Sprintf("the accounting identity did not hold in %d of %d samples: %s", r.Imbalanced, r.Samples, p.samples.first()))
	}
}
