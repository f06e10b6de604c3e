package check_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/check"
	"bareed/campaigns/forecast"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/numbers/places"
)

// engine runs a statement as the engine, which alone sees places.
func engine(t *testing.T, b *fixture.Broadcast, sql string, args ...any) {
	t.Helper()
	if _, err := b.Pool.Engine().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// reserve takes places for people, as the feeder does.
func reserve(t *testing.T, b *fixture.Broadcast, keys ...string) {
	t.Helper()
	wanted := make([]places.Wanted, len(keys))
	for i, k := range keys {
		wanted[i] = places.Wanted{Hash: b.Vault.RecipientHash(k), Run: id.New[id.Run](), Ordinal: 1}
	}
	err := b.Pool.InEngine(t.Context(), func(tx pgx.Tx) error {
		_, err := places.Reserve(t.Context(), tx, places.Ask{Portfolio: b.Portfolio, Workspace: b.Workspace, Kind: "campaign"}, wanted)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func now(t *testing.T, b *fixture.Broadcast) (at time.Time) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		at, err = pg.Now(t.Context(), tx)
		return err
	})
	return at
}

// A check counts who needs no place and foretells both lines from the places
// that are taken.
func TestForecastOfACheck(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 3000)
	engine(t, b, `update portfolio set messaging_limit = 2000, reserve = 0 where id = $1`, b.Portfolio)
	reserve(t, b, "p:+966500000000", "p:+966500000001", "p:+999") // two of the list, one of another's
	b.Do(t, `insert into service_window (workspace_id, number_id, recipient_hash, open_until) values
		($1, $2, $3, bareed_now() + interval '1 hour'), ($1, $2, $4, bareed_now() - interval '1 hour')`,
		b.Workspace, b.Number, b.Vault.RecipientHash("p:+966500000002"), b.Vault.RecipientHash("p:+966500000003"))
	b.Do(t, `update permission set since = bareed_now() - interval '91 days' where workspace_id = $1
		and contact_id in (select contact_id from identity where workspace_id = $1 and key < '+966500001000')`, b.Workspace)
	k := b.Check(t, b.Campaign(t, "Foretold").ID)
	if k.Placeless != 3 || k.Fresh != 2000 {
		t.Errorf("%d need no place, %d consented lately", k.Placeless, k.Fresh)
	}
	f := k.Forecast
	if f == nil || f.Stays.EndsAt == nil || f.Rises == nil || k.Growth == nil {
		t.Fatalf("forecast %+v, growth %+v", f, k.Growth)
	}
	// 1,997 places now, 2,997 people who need one: the last thousand goes when the
	// first places come back, the day after at most five minutes late.
	at := now(t, b)
	if d := f.Stays.EndsAt.Sub(at); !f.Stays.Waits || d < 24*time.Hour || d > 24*time.Hour+time.Minute {
		t.Errorf("the limit stays: in %v", d)
	}
	if d := f.Rises.EndsAt.Sub(at); d < 6*time.Hour || d > 6*time.Hour+time.Minute {
		t.Errorf("the limit rises: in %v", d)
	}
	if g := k.Growth; g.Why != "" || len(g.Days) != 2 || g.Days[0].Fresh != g.Days[0].Send || g.Ends != 10_000 {
		t.Errorf("growth %+v", g)
	}
	// As a part of the whole: unknown, then unlimited.
	engine(t, b, `update portfolio set limit_known = false where id = $1`, b.Portfolio)
	if k := again(t, b, k); k.Forecast != nil {
		t.Errorf("a forecast of what is not known: %+v", k.Forecast)
	}
	engine(t, b, `update portfolio set limit_known = true, messaging_limit = null where id = $1`, b.Portfolio)
	if k := again(t, b, k); k.Forecast == nil || k.Forecast.NoRise != forecast.Unlimited || k.Growth != nil {
		t.Errorf("without a limit: %+v", k.Forecast)
	}
}

func again(t *testing.T, b *fixture.Broadcast, k check.Check) (got check.Check) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		got, err = check.Get(t.Context(), tx, b.Workspace, k.CampaignID, k.ID)
		return err
	})
	return got
}
