//go:build unix

package nemesis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
	"bareed/internal/rig"
)

// Marks of a worker that was killed while it held claims.
const (
	OrphanUnknown = "orphan-unknown" // until nobody takes them for being sent any more
	OrphanSettled = "orphan-settled" // from Meta's receipts on, until what it took is known as sent
)

const sqlOrphans = `
select count(*) filter (where state = 'sending'), count(*) filter (where state = 'unknown')
from message
where claimed_by like '%/' || $1`

// orphan kills a worker while Meta's receipts are away, waits until its claims
// are unknown, lets the receipts come and waits until they name what was taken.
// It waits in real time: nothing moves a clock.
func (w *World) orphan(ctx context.Context, s Step) error {
	outage := func(on bool) error {
		return w.Rig.Control(ctx, "/sandbox/scenario", map[string]any{"outage": on}, nil)
	}
	if err := outage(true); err != nil {
		return err
	}
	p, killed := w.Rig.Process(s.On), time.Now()
	pid := fmt.Sprint(p.Pid())
	p.Kill()
	w.mark(Mark{Do: Orphan, On: s.On, At: killed})
	sending, unknown := -1, 0
	look := func(enough func() bool) func() (bool, error) {
		return func() (bool, error) {
			err := w.Admin.QueryRow(ctx, sqlOrphans, pid).Scan(&sending, &unknown)
			return err == nil && enough(), nil
		}
	}
	wait, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := rig.Until(wait, 50*time.Millisecond, look(func() bool { return sending == 0 })); err != nil {
		return fmt.Errorf("wait for the claims' deadline: %w", err)
	}
	w.mark(Mark{Do: OrphanUnknown, On: s.On, At: killed, Until: time.Now()})
	held := unknown
	if held == 0 {
		return errors.New("it held no claim when it was killed")
	}
	taken, err := w.taken(ctx, pid)
	if err != nil {
		return err
	}
	if err := outage(false); err != nil {
		return err
	}
	began := time.Now()
	if err := rig.Until(wait, 20*time.Millisecond, look(func() bool { return unknown <= held-taken })); err != nil {
		return fmt.Errorf("wait for the receipts: %w", err)
	}
	w.mark(Mark{Do: OrphanSettled, On: fmt.Sprint(taken), At: began, Until: time.Now()})
	return nil
}

const sqlHeldBy = `
select 'v1.' || replace(run_id::text, '-', '') || '.' || ordinal
from message
where claimed_by like '%/' || $1
  and state = 'unknown'`

// taken counts what a worker left unknown and Meta accepted.
func (w *World) taken(ctx context.Context, pid string) (n int, err error) {
	held, err := pg.All(ctx, w.Admin, "read what it held", pgx.RowTo[string], sqlHeldBy, pid)
	if err != nil {
		return 0, err
	}
	accepted := map[string]bool{}
	all, err := w.Rig.Journal(ctx, 0)
	for _, e := range all {
		if e.Accepted {
			accepted[message(e.CallbackData)] = true
		}
	}
	for _, m := range held {
		if accepted[m] {
			n++
		}
	}
	return n, err
}

// message cuts callback data, v1.<run>.<ordinal>.<attempt>.<mac>, behind the ordinal.
func message(callback string) string {
	dots := 0
	for i, c := range callback {
		if c == '.' {
			if dots++; dots == 3 {
				return callback[:i]
			}
		}
	}
	return callback
}
