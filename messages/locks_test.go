package messages_test

import (
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
// asked for once more: nothing of it was committed.
func TestClaimSurvivesADeadlock(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 2)
	other := pgtest.Owner(t, l.pool)
	if _, err := other.Exec(t.Context(), `begin`); err != nil {
		t.Fatal(err)
	}
	const lock = `select from message where run_id = $1 and ordinal = $2 for update`
	if _, err := other.Exec(t.Context(), lock, l.run, 2); err != nil {
		t.Fatal(err)
	}
	claimed := make(chan int)
	go func() {
		got, err := l.tryClaim(t.Context(), 1, 2)
		if err != nil {
			t.Errorf("claim: %v", err)
		}
		claimed <- len(got)
	}()
	// The claim holds the first row and waits for the second. Who has waited for
	// a second looks for a deadlock, once, and is its victim: the claim is to be
	// the first of the two, and the other to wait before the claim has looked.
	waits := func() (n int) {
		err := l.owner.QueryRow(t.Context(), `select count(*) from pg_locks join pg_stat_activity using (pid)
			where datname = current_database() and not granted and waitstart < clock_timestamp() - interval '50 ms'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for deadline := time.Now().Add(10 * time.Second); waits() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the claim does not wait for the row")
		}
	}
	if _, err := other.Exec(t.Context(), lock, l.run, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), `rollback`); err != nil {
		t.Fatal(err)
	}
	if n := <-claimed; n != 2 {
		t.Errorf("%d of 2 were granted after the deadlock", n)
	}
	var attempts []int16
	err := l.owner.QueryRow(t.Context(), `select array_agg(attempt) from message`).Scan(&attempts)
	if err != nil || !slices.Equal(attempts, []int16{1, 1}) {
		t.Errorf("attempts %v, %v: the first try left something behind", attempts, err)
	}
}
