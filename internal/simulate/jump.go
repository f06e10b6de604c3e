//go:build unix

package simulate

import (
	"context"
	"fmt"
	"time"

	"bareed/scheduler"
)

// stands is where everything stands while nothing moves.
const stands = `
select
    (select count(*) from message where state in ('ready', 'sending')),
    (select min(coalesce(not_before, feed_after)) from message where state = 'ready' and feed_after is not null),
    (select min(over_at) from place),
    (select exists (select from place where freed_at is not null)),
    (select exists (select from run where state = 'running' and fed < least(planned, wave_to)))
        and (select messaging_limit is null or places < floor(messaging_limit * (1 - reserve) + 0.001) from portfolio)`

// next is when something can happen again; zero when all is done.
func (d *drive) next(ctx context.Context) (time.Time, error) {
	var again, frees *time.Time
	var freed, pacing bool
	if err := d.owner.QueryRow(ctx, stands).Scan(&d.left, &again, &frees, &freed, &pacing); err != nil {
		return time.Time{}, fmt.Errorf("read how it stands: %w", err)
	}
	if d.left == 0 && len(d.meta.coming) == 0 {
		return time.Time{}, d.sched.Repair(ctx)
	}
	next := d.end.Add(time.Hour)
	soon := func(at time.Time) {
		if at.Before(next) {
			next = at
		}
	}
	if len(d.meta.coming) > 0 {
		soon(d.meta.coming[0].at)
	}
	if again != nil {
		soon(*again)
	}
	if pacing { // places are free and people wait: a look later the pace permits the next
		soon(d.now.Add(scheduler.Tick))
	}
	if !d.gate.IsZero() {
		soon(d.gate)
	}
	if d.left > 0 {
		for _, at := range d.moreRoom(frees, freed) {
			soon(at)
		}
	}
	if least := d.now.Add(scheduler.Tick); next.Before(least) {
		next = least
	}
	return next, nil
}

// moreRoom is when the limit may permit more people: a place comes back, or Meta
// raises it. frees is when the next place in use is over; freed tells that one
// already is.
func (d *drive) moreRoom(frees *time.Time, freed bool) []time.Time {
	var all []time.Time
	if freed {
		all = append(all, d.sweep)
	}
	switch {
	case frees == nil:
	case frees.After(d.now):
		all = append(all, *frees)
	default: // over, and gone with the next sweep
		all = append(all, d.sweep)
	}
	if !d.meta.raiseAt.IsZero() {
		all = append(all, d.meta.raiseAt.Add(pollEvery))
	}
	return all
}

// jump goes to an instant in one step: the jobs that would have run meanwhile
// find nothing to do, and the daily one makes the days' partitions.
func (d *drive) jump(ctx context.Context, to time.Time) error {
	for d.sweep.Before(to) {
		d.sweep = d.sweep.Add(sweepEvery)
	}
	if err := d.set(ctx, to); err != nil {
		return err
	}
	if day := int(d.now.Sub(d.began) / (24 * time.Hour)); day > d.days {
		d.days = day
		d.say("day", "%d: %d sent, %d left", day+1, d.sent, d.left)
		if _, err := d.pool.Engine().Exec(ctx, `select ensure_partitions()`); err != nil {
			return fmt.Errorf("make partitions: %w", err)
		}
	}
	return nil
}

func (d *drive) result(r *Result) {
	r.Actual = seconds(d.last.Sub(d.began))
	r.Sent, r.Delivered, r.Failed, r.Left = d.sent, d.meta.delivered, d.meta.failed, d.left
	r.Most, r.Exceeded, r.RateOver, r.Twice = d.meta.people.Most, d.meta.exceeded, d.meta.over, d.meta.twice
}
