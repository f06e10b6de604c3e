//go:build unix

package simulate

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/waves"
)

// whileUnanswered is how often a wave is looked at that waits for receipts.
const whileUnanswered = 10 * time.Second

// afterSending is when a wave is looked at of which something has left: the look
// counts the run, and a wave is watched for many times as long.
const afterSending = 2 * time.Second

// lookSoon notes that what has left may have ended a wave.
func (d *drive) lookSoon() {
	if at := d.now.Add(afterSending); d.gated && (d.gate.IsZero() || at.Before(d.gate)) {
		d.gate = at
	}
}

// gates is the leader's look at runs that go in waves, when it can find something
// new: the picture is drawn and the run held against its rules, as every second in
// earnest.
func (d *drive) gates(ctx context.Context) error {
	if !d.gated || d.gate.IsZero() || d.now.Before(d.gate) {
		return nil
	}
	d.gate, d.gated = time.Time{}, false
	for i := range d.runs {
		s, err := d.wave(ctx, i)
		if err != nil {
			return err
		}
		if s.Waits == "" {
			continue // it has none, or the last one is open
		}
		d.gated = true
		if s.NextAt == nil {
			continue
		}
		at := *s.NextAt
		if least := d.now.Add(time.Second); at.Before(least) {
			at = least
		}
		if s.Waits == breaker.WaitsAnswer {
			at = d.now.Add(whileUnanswered)
		}
		if d.gate.IsZero() || at.Before(d.gate) {
			d.gate = at
		}
	}
	return nil
}

// wave takes a run's waves on, if that can be, and tells how they stand.
func (d *drive) wave(ctx context.Context, i int) (s waves.Course, err error) {
	err = d.in(ctx, func(tx pgx.Tx) (err error) {
		if err = campaigns.Snapshot(ctx, tx, d.ws, d.runs[i]); err != nil {
			return err
		}
		if err = waves.Tick(ctx, tx, d.ws, d.runs[i], d.rules); err != nil {
			return err
		}
		s, err = waves.Read(ctx, tx, d.ws, d.campaigns[i], d.rules)
		return err
	})
	return s, err
}
