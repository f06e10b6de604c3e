package messages_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// Batches that name the same rows in any order, of every statement that locks
// several: they wait for each other and never deadlock.
func TestEveryStatementLocksInOneOrder(t *testing.T) {
	t.Parallel()
	const rows, rounds = 40, 40
	l := newLedger(t, rows)
	deadlocks := pgtest.CountDeadlocks(t, l.pool)
	shuffled := func(r *rand.Rand) []id.Message {
		var list []id.Message
		for _, i := range r.Perm(rows) {
			list = append(list, l.message(i+1))
		}
		return list
	}
	var wg sync.WaitGroup
	run := func(seed uint64, do func(r *rand.Rand) func(tx pgx.Tx) error) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 5))
			for range rounds {
				if err := l.pool.InLedger(t.Context(), l.ws, do(r)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for seed := range uint64(2) {
		run(seed, func(r *rand.Rand) func(tx pgx.Tx) error {
			var list []messages.Returned
			for _, m := range shuffled(r) {
				list = append(list, messages.Returned{Message: m, After: time.Duration(r.IntN(3)) * time.Second})
			}
			return func(tx pgx.Tx) error { return messages.GiveBack(t.Context(), tx, l.ws, list) }
		})
		run(seed+10, func(r *rand.Rand) func(tx pgx.Tx) error {
			list := shuffled(r)
			return func(tx pgx.Tx) error { return messages.MoveCursor(t.Context(), tx, l.ws, l.run, 0, list, 0) }
		})
		run(seed+20, func(r *rand.Rand) func(tx pgx.Tx) error {
			list := shuffled(r)
			return func(tx pgx.Tx) error { return messages.Refused(t.Context(), tx, l.ws, list) }
		})
	}
	wg.Wait()
	if n := deadlocks(); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// A claim that PostgreSQL picks as the victim of somebody else's deadlock is
// asked for once more: nothing of it was committed. The deadlock has to be made
// within the second after which the claim looks for one, which a busy machine may
// miss: then it is made anew, of two other messages.
func TestClaimSurvivesADeadlock(t *testing.T) {
	t.Parallel()
	const tries = 5
	l := newLedger(t, 2*tries)
	other := pgtest.Owner(t, l.pool)
	for try := 1; ; try++ {
		fault := l.claimInADeadlock(other, 2*try-1, 2*try)
		if fault == nil {
			return
		}
		if t.Logf("try %d: %v", try, fault); try == tries {
			t.Fatal("the claim did not survive")
		}
	}
}

// claimInADeadlock claims two messages that another transaction locks in the
// opposite order, and says what is wrong with what comes of it.
func (l *ledger) claimInADeadlock(other *pgx.Conn, first, second int) error {
	ctx := l.t.Context()
	const lock = `select from message where run_id = $1 and ordinal = $2 for update`
	tx, err := other.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // again is harmless
	if _, err := tx.Exec(ctx, lock, l.run, second); err != nil {
		return err
	}
	type outcome struct {
		granted int
		err     error
	}
	claimed := make(chan outcome, 1)
	go func() {
		got, err := l.tryClaim(ctx, first, second)
		claimed <- outcome{len(got), err}
	}()
	// The claim holds the first row and waits for the second. Who has waited for
	// a second looks for a deadlock, once, and is its victim: the claim is to be
	// the first of the two, and the other to wait before the claim has looked.
	for waiting := false; !waiting; {
		err := l.owner.QueryRow(ctx, `select exists (select from pg_locks join pg_stat_activity using (pid)
			where datname = current_database() and not granted and waitstart < clock_timestamp() - interval '50 ms')`).Scan(&waiting)
		if err != nil {
			return err
		}
		select {
		case c := <-claimed:
			return fmt.Errorf("%d granted beside the lock, %v", c.granted, c.err)
		default:
		}
	}
	_, stuck := tx.Exec(ctx, lock, l.run, first)
	if err := tx.Rollback(ctx); err != nil && stuck == nil {
		return err
	}
	c := <-claimed
	if stuck != nil || c.err != nil || c.granted != 2 {
		return fmt.Errorf("%d of 2 were granted after the deadlock, %v", c.granted, errors.Join(stuck, c.err))
	}
	var attempts []int16
	err = l.owner.QueryRow(ctx, `select array_agg(attempt) from message where run_id = $1 and ordinal in ($2, $3)`, l.run, first, second).Scan(&attempts)
	if err != nil || !slices.Equal(attempts, []int16{1, 1}) {
		return fmt.Errorf("attempts %v, %v: the first try left something behind", attempts, err)
	}
	return nil
}
