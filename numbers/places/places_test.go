package places_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/numbers/places"
)

// quarter is a portfolio with a limit and nothing else.
type quarter struct {
	pool *pg.Pool
	id   id.Portfolio
}

func newQuarter(t *testing.T, limit int) *quarter {
	t.Helper()
	q := &quarter{pgtest.New(t), id.New[id.Portfolio]()}
	q.do(t, `insert into portfolio (id, meta_business_id, messaging_limit, limit_known, reserve) values ($1, 'b', $2, true, 0)`, q.id, limit)
	return q
}

func (q *quarter) do(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := q.pool.Engine().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func person(i int) []byte { return fmt.Appendf(nil, "%016d", i) }

// reserve tells whether the run's first message to a person has a place now.
func (q *quarter) reserve(t *testing.T, run id.Run, who int) bool {
	t.Helper()
	var granted []bool
	err := q.pool.InEngine(t.Context(), func(tx pgx.Tx) (err error) {
		granted, err = places.Reserve(t.Context(), tx, places.Ask{Portfolio: q.id, Workspace: id.New[id.Workspace](), Kind: "campaign"}, []places.Wanted{{Hash: person(who), Run: run, Ordinal: 1}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return granted[0]
}

// fail says that the run's message to a person was refused for good.
func (q *quarter) fail(t *testing.T, run id.Run, who int) {
	t.Helper()
	q.do(t, `select place_free($1, array[1], array[$2::bytea], $3)`, run, person(who), q.id)
}

// arrive says that the run's message to a person was delivered.
func (q *quarter) arrive(t *testing.T, run id.Run, who int) {
	t.Helper()
	err := q.pool.InLedger(t.Context(), id.New[id.Workspace](), func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `select place_settle(array[$1::uuid, $1], array[1, 1], array[$2::bytea, $2], array[true, true], $3)`,
			run, person(who), q.id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (q *quarter) sweep(t *testing.T) {
	t.Helper()
	if err := q.pool.InEngine(t.Context(), func(tx pgx.Tx) error { return places.Sweep(t.Context(), tx, q.id) }); err != nil {
		t.Fatal(err)
	}
}

// places is the portfolio's own count, which must be that of the rows.
func (q *quarter) places(t *testing.T) (n int) {
	t.Helper()
	var rows int
	err := q.pool.Engine().QueryRow(t.Context(), `select p.places, (select count(*) from place l where l.portfolio_id = p.id)
		from portfolio p where p.id = $1`, q.id).Scan(&n, &rows)
	if err != nil || n != rows {
		t.Fatalf("the portfolio counts %d places of %d (%v)", n, rows, err)
	}
	return n
}

func TestPlacesOfAPortfolio(t *testing.T) {
	t.Parallel()
	q := newQuarter(t, 2)
	a, b := id.New[id.Run](), id.New[id.Run]()
	if !q.reserve(t, a, 1) || !q.reserve(t, a, 2) || q.reserve(t, a, 3) {
		t.Fatal("want two places and no third")
	}
	if !q.reserve(t, a, 1) || !q.reserve(t, b, 2) {
		t.Error("a person with a place is refused another message")
	}
	q.fail(t, a, 1)
	if q.reserve(t, a, 3) {
		t.Error("a freed place is given away before the sweep")
	}
	q.sweep(t)
	if n := q.places(t); n != 1 || !q.reserve(t, a, 3) {
		t.Errorf("%d places after the sweep, or none for the next person", n)
	}
	pgtest.MoveClock(t, q.pool, 26*time.Hour)
	q.sweep(t)
	if n := q.places(t); n != 0 {
		t.Errorf("%d places after a day", n)
	}
}

// Two messages on one place: neither one's failure may free it, since the other
// is on its way and Meta will count the person.
func TestSharedPlaceIsNotFreed(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"the first fails": true, "the second fails": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQuarter(t, 1)
			a, b := id.New[id.Run](), id.New[id.Run]()
			if !q.reserve(t, a, 1) || !q.reserve(t, b, 1) {
				t.Fatal("want one place for two messages to one person")
			}
			if first {
				q.fail(t, a, 1)
			} else {
				q.fail(t, b, 1)
			}
			q.sweep(t)
			if q.reserve(t, a, 2) {
				t.Error("the place of a person who is being written to is given to another")
			}
			q.arrive(t, a, 1)
			if n := q.places(t); n != 1 {
				t.Errorf("%d places, want 1", n)
			}
		})
	}
}

// A phone that was off: delivered a day after its place ran out.
func TestLateDeliveryIsCounted(t *testing.T) {
	t.Parallel()
	q := newQuarter(t, 1)
	a := id.New[id.Run]()
	if !q.reserve(t, a, 1) {
		t.Fatal("no place")
	}
	pgtest.MoveClock(t, q.pool, 30*time.Hour)
	q.sweep(t)
	q.arrive(t, a, 1) // delivered now: Meta counts from here
	if n := q.places(t); n != 1 {
		t.Errorf("%d places, want 1", n)
	}
	if q.reserve(t, a, 2) {
		t.Error("a second unique person within Meta's 24 hours")
	}
}

// People who wait in turn behind one without a place keep none of theirs alive: it
// is the one that is waited for.
func TestWhoWaitsInTurnKeepsNoPlace(t *testing.T) {
	t.Parallel()
	q := newQuarter(t, 1)
	yesterday, today := id.New[id.Run](), id.New[id.Run]()
	if !q.reserve(t, yesterday, 1) {
		t.Fatal("no place")
	}
	q.arrive(t, yesterday, 1)
	ask := func() (granted []bool) {
		t.Helper()
		err := q.pool.InEngine(t.Context(), func(tx pgx.Tx) (err error) {
			granted, err = places.Reserve(t.Context(), tx, places.Ask{Portfolio: q.id, Workspace: id.New[id.Workspace](), Kind: "campaign"},
				[]places.Wanted{{Hash: person(2), Run: today, Ordinal: 1, InTurn: true}, {Hash: person(1), Run: today, Ordinal: 2, InTurn: true}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return granted
	}
	pgtest.MoveClock(t, q.pool, 23*time.Hour)
	if got := ask(); got[0] || got[1] {
		t.Fatalf("granted %v while the one place is taken", got)
	}
	pgtest.MoveClock(t, q.pool, 24*time.Hour+time.Minute)
	q.sweep(t)
	if got := ask(); !got[0] || got[1] {
		t.Errorf("granted %v when the place is free, want the first", got)
	}
}
