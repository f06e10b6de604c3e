//go:build unix

package prove

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/prove/judge"
	"bareed/internal/prove/nemesis"
	"bareed/sandbox"
	"bareed/sandbox/journal"
)

// step is how far the clock goes at once: past a claim's life (45 s) and past the
// minute after which lost tasks are offered again.
const step = 61 * time.Second

// settle brings the runs to their end: first every claim expires and every lost
// task is offered again while Meta's webhooks are still away, which is when a
// wrong design sends again; then the receipts come; then unknown messages are
// given up. It moves the database's clock instead of waiting.
func (p *proof) settle(ctx context.Context) error {
	w := p.world
	defer p.work.operate(ctx)()
	for range 2 { // the first turn marks what was handed to the queue, the second offers it again
		if err := w.Jump(ctx, step); err != nil {
			return err
		}
		if !p.work.until(ctx, 30*time.Second, func() bool { return p.turned(ctx) }) {
			return errors.New("no scheduler looked for lost tasks within half a minute")
		}
	}
	before := 4 * time.Second
	if p.Plan != nil { // one thing: all of it is offered again before a receipt comes
		before = 12 * time.Second
	}
	clock.Pause(ctx, before)
	if err := w.Receipts(ctx); err != nil {
		return err
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	if !p.work.until(ctx, 60*time.Second, func() bool { return p.drained(ctx) }) {
		return errors.New("the receipts were not all taken and applied within a minute")
	}
	p.say("settled", "%s", p.work.progress(ctx))
	if p.Policy == "evidence" {
		if err := p.evidence(ctx); err != nil {
			return err
		}
	}
	if !p.work.until(ctx, 5*time.Second, func() bool { return p.work.settled(ctx, anywhere) }) {
		return fmt.Errorf("the runs came to no end: %s", p.work.progress(ctx))
	}
	if err := w.Jump(ctx, 25*time.Hour); err != nil {
		return err
	}
	if !p.work.until(ctx, 30*time.Second, func() bool { return p.work.settled(ctx, nowhere) && p.drained(ctx) }) {
		return fmt.Errorf("the runs came to no end: %s", p.work.progress(ctx))
	}
	return nil
}

// Where messages may be unknown when the rest is settled. A stopped campaign sends
// nothing any more, so that evidence cannot settle what it left.
func anywhere(client.Report) bool       { return true }
func nowhere(client.Report) bool        { return false }
func whereStopped(r client.Report) bool { return r.RunState == "stopped" }

// evidence lets the time pass after which what never left may be sent again, and
// waits for it. What is sent again may get lost again, once.
func (p *proof) evidence(ctx context.Context) error {
	if err := p.world.Jump(ctx, 16*time.Minute); err != nil {
		return err
	}
	if !p.work.until(ctx, 60*time.Second, func() bool { return p.work.settled(ctx, whereStopped) && p.drained(ctx) }) {
		return fmt.Errorf("evidence did not settle what was unknown: %s", p.work.progress(ctx))
	}
	p.say("evidence", "%s", p.work.progress(ctx))
	return nil
}

const sqlNotTurned = `
select count(*)
from run
where settled_at is null
  and planned > 0
  and refeed_at < bareed_now() - interval '60 seconds'`

// turned tells whether a scheduler has looked at every run for lost tasks since
// the clock moved.
func (p *proof) turned(ctx context.Context) bool {
	n := -1
	return p.world.Admin.QueryRow(ctx, sqlNotTurned).Scan(&n) == nil && n == 0
}

// finish waits while messages go on leaving. When nothing moves for some seconds
// the clock does, a few times; then whatever is left is stuck.
func (p *proof) finish(ctx context.Context) error {
	most := 5
	if p.Plan != nil { // one thing
		most = 3
	}
	still, last := 0, int64(-1)
	for jumps := 0; !p.work.settled(ctx, anywhere); {
		if !clock.Pause(ctx, time.Second) {
			return ctx.Err()
		}
		if left := p.work.left(ctx); left != last {
			still, last = 0, left
			continue
		}
		if still++; still < 8 {
			continue
		}
		if jumps++; jumps > most {
			return nil // the judge will say what is lost
		}
		still = 0
		if err := p.world.Jump(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

const sqlBacklog = `select count(*) from event where state = 'new'`

// drained tells whether Meta has nothing left to post and every event is applied.
func (p *proof) drained(ctx context.Context) bool {
	var sum sandbox.Summary
	if err := p.world.Rig.Control(ctx, "/sandbox/journal/summary", nil, &sum); err != nil || sum.Webhooks.Pending > 0 {
		return false
	}
	var n int
	return p.world.Admin.QueryRow(ctx, sqlBacklog).Scan(&n) == nil && n == 0
}

// verdict has everything judged.
func (p *proof) verdict(ctx context.Context, end time.Time) (judge.Figures, error) {
	c := judge.Case{Admin: p.world.Admin, Runs: p.world.Runs, People: p.work.people, Marks: p.world.Marks(), Slots: p.world.Slots,
		Lag: p.lag.between, Number: p.world.Tenant.Meta.Number, Rate: p.Rate, Clean: p.Clean, Evidence: p.Policy == "evidence", End: end}
	if err := p.world.Rig.Control(ctx, "/sandbox/journal/summary", nil, &c.Summary); err != nil {
		return judge.Figures{}, err
	}
	var err error
	if c.Entries, err = p.world.Rig.Journal(ctx, 0); err != nil {
		return judge.Figures{}, err
	}
	c.Possible = p.possible(c.Entries)
	p.judged = c
	return judge.Judge(ctx, c)
}

// possible is F2's bound: what each worker that was killed or could not reach the
// database may have held, what each ended session may have claimed, and each answer
// that said nothing.
func (p *proof) possible(entries []journal.Entry) int {
	n := p.sup.restarts("worker") * slots
	for _, e := range entries {
		if e.Fate != journal.FateAnswered {
			n++
		}
	}
	counts := p.world.Counts()
	n += counts[nemesis.Ended] * slots // one that ended in its commit leaves a batch of claims of which the worker never heard
	for _, what := range []string{nemesis.Orphan, nemesis.Crash, nemesis.Cut, nemesis.Mute, nemesis.Freeze, nemesis.Frozen} {
		n += counts[what] * p.world.Slots
	}
	return n
}
