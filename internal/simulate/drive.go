//go:build unix

package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/clock"
	"bareed/internal/id"
	"bareed/limits"
	"bareed/messages"
	"bareed/scheduler"
	"bareed/whatsapp"
)

const (
	sweepEvery  = 5 * time.Second        // the scheduler's job
	pollEvery   = 10 * time.Second       // of an account that is sending: when a new limit is known
	lastLook    = 250 * time.Millisecond // as the worker: a claim that waits longer for its departure goes back
	undelivered = 131026
)

// drive goes from look to look of the feed, and over the time in which nothing
// can happen in one step.
type drive struct {
	*world
	meta   *meta
	sched  *scheduler.Scheduler
	limits *limits.Limiter
	asking time.Time // the simulated instant of a question to the limiter
	sweep  time.Time // when places are freed next
	gated  bool      // a run has not come to its last wave
	gate   time.Time // when the waves are looked at next; zero: when something has left
	learn  int       // the limit the product knows
	last   time.Time // when the last message left
	end    time.Time // when the simulation gives up
	sent   int
	left   int
	days   int
}

func newDrive(w *world, predicted time.Duration) *drive {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	d := &drive{world: w, meta: newMeta(w.Options), sweep: w.began, gated: true, gate: w.began, learn: w.Limit, end: w.began.Add(3*predicted + 48*time.Hour)}
	d.sched = scheduler.New(scheduler.Config{Pool: w.pool, Queue: w.queue, Vault: w.vault, Clock: w.clock, Log: log})
	// The limiter's own clock goes on by itself; the difference takes it to the
	// simulated instant of each question.
	d.limits = limits.New(w.redis, limits.Config{Clock: clock.System, Timeout: 10 * time.Second,
		Offset: func() time.Duration { return time.Until(d.asking) }})
	return d
}

func (d *drive) run(ctx context.Context) error {
	for ctx.Err() == nil {
		busy, err := d.look(ctx)
		if err != nil {
			return err
		}
		if busy {
			d.lookSoon()
			if err := d.set(ctx, d.now.Add(scheduler.Tick)); err != nil {
				return err
			}
			continue
		}
		if err := d.gates(ctx); err != nil {
			return err
		}
		next, err := d.next(ctx)
		if err != nil || next.IsZero() {
			return err
		}
		if next.After(d.end) {
			return fmt.Errorf("the simulation stands still: %d messages left at %s", d.left, Span(d.now.Sub(d.began)))
		}
		if err := d.jump(ctx, next); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// look is one tick: receipts, the limit, places, the feed and what it hands over.
// It is busy while something happens.
func (d *drive) look(ctx context.Context) (busy bool, err error) {
	heard := d.meta.hear(d.now)
	if err := d.apply(ctx, heard); err != nil {
		return false, err
	}
	if d.meta.limit != d.learn {
		if err := d.learned(ctx); err != nil {
			return false, err
		}
	}
	if !d.now.Before(d.sweep) {
		if err := d.sched.Sweep(ctx); err != nil {
			return false, err
		}
		for !d.sweep.After(d.now) {
			d.sweep = d.sweep.Add(sweepEvery)
		}
	}
	handed, err := d.sched.Hand(ctx)
	if err != nil {
		return false, err
	}
	return len(handed) > 0, d.send(ctx, handed)
}

// send is the worker's part: claim, departure, POST, record.
func (d *drive) send(ctx context.Context, handed []scheduler.Handed) error {
	if len(handed) == 0 {
		return nil
	}
	wants := make([]messages.Want, len(handed))
	for i, h := range handed {
		wants[i] = messages.Want{Message: id.Message{Run: h.Task.Run, Ordinal: h.Task.Ordinal}, Token: uuid.New()}
	}
	claims, err := messages.ClaimAll(ctx, d.pool, d.ws, "simulate", wants)
	if err != nil {
		return err
	}
	by := make(map[id.Message]messages.Claim, len(claims))
	for _, c := range claims {
		by[c.Message] = c
	}
	var results []messages.Result
	for i, h := range handed {
		c, ok := by[wants[i].Message]
		if !ok {
			continue
		}
		at, again, err := d.depart(ctx, h)
		if err != nil {
			return err
		}
		if again > 0 {
			r := messages.Return(c)
			r.Again = again
			results = append(results, r)
			continue
		}
		results = append(results, d.post(c, at))
	}
	if len(results) == 0 {
		return nil
	}
	return messages.RecordAlone(ctx, d.pool, d.ws, results)
}

// post gives a claimed message to the simulated Meta, which accepts it.
func (d *drive) post(c messages.Claim, at time.Time) messages.Result {
	d.sent++
	wamid := fmt.Sprintf("wamid.%s.%d.%d", c.Message.Run, c.Message.Ordinal, c.Attempt)
	d.meta.post(c.Number, c.Contact.String(), wamid, at)
	if at.After(d.last) {
		d.last = at
	}
	return messages.ResultOf(c, whatsapp.SendResult{Outcome: whatsapp.Accepted, HTTPStatus: 200, WAMID: whatsapp.WAMID(wamid), WaID: "1"})
}

// depart asks the limiter as the worker does: the instant of departure, or when
// to come again.
func (d *drive) depart(ctx context.Context, h scheduler.Handed) (at time.Time, again time.Duration, err error) {
	ask := limits.Ask{Number: h.Task.Number, Contact: h.Task.Contact, PerSecond: d.Rate, Bulk: !h.Task.Reply}
	for d.asking = h.At; ; {
		before := d.asking
		g, err := d.limits.Take(ctx, ask)
		if err != nil {
			return at, 0, err
		}
		if g.OK {
			return before.Add(g.Wait), 0, nil
		}
		d.asking = before.Add(g.Retry)
		if g.Reason == limits.Pair || d.asking.Sub(h.At) > lastLook {
			return at, g.Retry, nil
		}
	}
}

// apply tells the product what Meta's webhooks tell.
func (d *drive) apply(ctx context.Context, heard []coming) error {
	if len(heard) == 0 {
		return nil
	}
	told := make([]messages.Told, len(heard))
	for i, c := range heard {
		s := whatsapp.Status{ID: whatsapp.WAMID(c.wamid), Kind: string(messages.Delivered), At: c.at.Truncate(time.Second), RecipientID: "1"}
		if c.failed {
			s.Kind, s.Errors = string(messages.Failed), []whatsapp.StatusError{{Code: undelivered, Class: whatsapp.ClassifyStatus(undelivered)}}
		}
		told[i] = messages.Told{Status: s, Number: c.number, Received: d.now}
	}
	return d.pool.InLedger(ctx, d.ws, func(tx pgx.Tx) error {
		done, err := messages.ApplyStatuses(ctx, tx, d.vault, d.ws, told)
		if err == nil && done.Matched != len(told) {
			return fmt.Errorf("%d of %d statuses found their message", done.Matched, len(told))
		}
		return err
	})
}

// learned is the poll of the account after Meta raised the limit.
func (d *drive) learned(ctx context.Context) error {
	var limit *int
	if d.learn = d.meta.limit; d.learn > 0 {
		limit = &d.learn
	}
	d.say("limit", "Meta raised it to %d after %s", d.learn, Span(d.now.Sub(d.began)))
	return d.in(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select portfolio_learn($1, $2, false)`, d.portfolio, limit)
		return err
	})
}
