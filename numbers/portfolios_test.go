package numbers_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/numbers/places"
)

// TestOwnPlaces: alone in a portfolio all its places are one's own; of a shared
// one each workspace sees those of its own runs, and neither sees a portfolio in
// which it has no number.
func TestOwnPlaces(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	a, b := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	runs := map[*fixture.Broadcast]id.Run{}
	for _, x := range []*fixture.Broadcast{a, b} {
		x.AddPeople(t, x.Audience, 1)
		runs[x] = x.Launch(t, "Eid").RunID
	}
	take := func(portfolio id.Portfolio, run id.Run, from, to int) {
		t.Helper()
		var wanted []places.Wanted
		for i := from; i < to; i++ {
			wanted = append(wanted, places.Wanted{Hash: person(i), Run: run, Ordinal: int32(i)})
		}
		err := pool.InEngine(t.Context(), func(tx pgx.Tx) error {
			_, err := places.Reserve(t.Context(), tx, places.Ask{Portfolio: portfolio, Workspace: a.Workspace, Kind: "campaign"}, wanted)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(x *fixture.Broadcast) (all []numbers.Portfolio) {
		t.Helper()
		x.In(t, func(tx pgx.Tx) (err error) {
			all, err = numbers.Portfolios(t.Context(), tx, x.Workspace)
			return err
		})
		return all
	}
	own := func(x *fixture.Broadcast, portfolio id.Portfolio) int64 {
		t.Helper()
		got, err := numbers.OwnPlaces(t.Context(), pool.Engine(), x.Workspace, []numbers.Portfolio{{ID: portfolio}})
		if err != nil {
			t.Fatal(err)
		}
		return got[portfolio]
	}
	take(a.Portfolio, runs[a], 1, 6)
	if list := look(a); len(list) != 1 || list[0].ID != a.Portfolio || list[0].Used != 5 || !list[0].Known || list[0].Limit == nil || *list[0].Limit != 1000 {
		t.Errorf("a's portfolios: %+v", list)
	}
	if n := own(a, a.Portfolio); n != 5 {
		t.Errorf("alone: %d", n)
	}
	b.Do(t, `update number set portfolio_id = $1`, a.Portfolio) // an agency's two clients
	take(a.Portfolio, runs[b], 6, 9)
	if list := look(b); len(list) != 1 || list[0].ID != a.Portfolio || list[0].Used != 8 {
		t.Errorf("b's portfolios: %+v", list)
	}
	if na, nb := own(a, a.Portfolio), own(b, a.Portfolio); na != 5 || nb != 3 {
		t.Errorf("shared: %d and %d", na, nb)
	}
	if _, err := pool.Engine().Exec(t.Context(), `select place_free($1, array[7], array[$2::bytea], $3)`, runs[b], person(7), a.Portfolio); err != nil {
		t.Fatal(err)
	}
	if n := own(b, a.Portfolio); n != 2 {
		t.Errorf("one was freed: %d", n)
	}
	b.Do(t, `update number set disconnected_at = bareed_now()`)
	if list := look(b); len(list) != 0 {
		t.Errorf("disconnected, b's portfolios: %+v", list)
	}
}

func person(i int) []byte { return fmt.Appendf(nil, "%016d", i) }
