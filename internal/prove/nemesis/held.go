//go:build unix

package nemesis

import (
	"context"
	"fmt"
	"time"

	"bareed/internal/rig"
	"bareed/sandbox"
)

// held makes Meta say something for which a rule stops the sending, and notes
// from when until when it was stopped. Somebody else clears it (work.operate).
func (w *World) held(ctx context.Context, s Step) error {
	began := time.Now()
	if err := w.provoke(ctx, s.Do); err != nil {
		return err
	}
	seen, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	stop, at, err := w.opened(seen, began)
	if err != nil {
		return fmt.Errorf("wait for the stop: %w", err)
	}
	if s.Do == Drop {
		if err := w.quality(ctx, "GREEN"); err != nil {
			return err
		}
	}
	until, err := w.cleared(seen, stop)
	if err != nil {
		return fmt.Errorf("wait for its end: %w", err)
	}
	w.mark(Mark{Do: s.Do, At: at, Until: until})
	return nil
}

func (w *World) provoke(ctx context.Context, do string) error {
	if do == Drop {
		return w.quality(ctx, "YELLOW")
	}
	return w.Rig.Control(ctx, "/sandbox/faults", sandbox.Fault{Kind: sandbox.KindRefuse, Code: 190, Count: 3}, nil)
}

func (w *World) quality(ctx context.Context, rating string) error {
	return w.Rig.Control(ctx, "/sandbox/number", map[string]any{"phone_number_id": w.Tenant.Meta.Number, "quality_rating": rating, "webhook": true}, nil)
}

const sqlOpened = `
select id, pg_xact_commit_timestamp(xmin)
from stop
where by_rule
  and cleared_at is null
  and pg_xact_commit_timestamp(xmin) > $1
order by 2
limit 1`

// opened waits for a rule's stop committed since then.
func (w *World) opened(ctx context.Context, since time.Time) (id [16]byte, at time.Time, err error) {
	err = rig.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		return w.Admin.QueryRow(ctx, sqlOpened, since).Scan(&id, &at) == nil, nil
	})
	return id, at, err
}

const sqlCleared = `
select pg_xact_commit_timestamp(xmin)
from stop
where id = $1
  and cleared_at is not null`

func (w *World) cleared(ctx context.Context, stop [16]byte) (at time.Time, err error) {
	err = rig.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		return w.Admin.QueryRow(ctx, sqlCleared, stop).Scan(&at) == nil, nil
	})
	return at, err
}
