package outlook_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/growth"
	"bareed/campaigns/outlook"
	"bareed/campaigns/schedule"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/numbers/places"
)

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

func read(t *testing.T, b *fixture.Broadcast, a outlook.Asked) (o outlook.Outlook) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		if a.Number, err = numbers.Get(t.Context(), tx, b.Workspace, b.Number); err != nil {
			return err
		}
		o, err = outlook.Read(t.Context(), tx, b.Workspace, a)
		return err
	})
	return o
}

func TestWhatIsRead(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, 20)
	l := b.Launch(t, "Other")
	reserve(t, b, "p:+1", "p:+2", "p:+3")
	pgtest.MoveClock(t, pool, time.Hour)
	reserve(t, b, "p:+4")
	rules := &schedule.Rules{Zone: "Asia/Riyadh", Window: &schedule.Window{From: "09:00", To: "21:00", After: "expire"}}
	a := outlook.Asked{Campaign: id.New[id.Campaign](), Rules: rules, PerMinute: 60, People: 7}
	o := read(t, b, a)
	in := o.Input
	if !o.Known || in.Limit != 1000 || in.PerSecond != 1 || in.Number < 70 || !in.Good || in.Zone.String() != "Asia/Riyadh" || in.Until.IsZero() {
		t.Errorf("%+v", in)
	}
	if opens, closes := in.Around(in.Now); closes.Sub(opens) > 12*time.Hour {
		t.Errorf("hours %v to %v", opens, closes)
	}
	if len(in.Used) != 2 || in.Used[0].People != 3 || in.Used[1].People != 1 || in.Used[0].At.After(in.Now.Add(24*time.Hour+5*time.Minute)) {
		t.Errorf("places %+v at %v", in.Used, in.Now)
	}
	if len(in.Others) != 1 || in.Others[0].People != 20 || !in.Others[0].SameNumber {
		t.Errorf("others %+v", in.Others)
	}
	if g := o.Growth(5, 0); g.Why != growth.Enough {
		t.Errorf("growth %+v", g)
	}
	// Held by a stop it takes nothing, and a campaign is not another to itself.
	a.Campaign = l.CampaignID
	if o := read(t, b, a); len(o.Input.Others) != 0 {
		t.Errorf("its own run: %+v", o.Input.Others)
	}
	a.Campaign = id.Campaign{}
	b.Do(t, `insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, opened_by) values ($1, $2, 'run', $3, 'paused', false, 'x')`,
		b.Workspace, id.New[id.Stop](), l.RunID)
	if o := read(t, b, a); len(o.Input.Others) != 0 {
		t.Errorf("a paused one: %+v", o.Input.Others)
	}
	b.Do(t, `update number set quality = 'YELLOW' where workspace_id = $1`, b.Workspace)
	if o := read(t, b, a); o.Input.Good {
		t.Error("a number of middling quality is good")
	}
	// A stranger's portfolio tells nothing.
	stranger := fixture.NewBroadcast(t, pool)
	stranger.In(t, func(tx pgx.Tx) error {
		n := numbers.Number{Portfolio: b.Portfolio, PerSecond: 80}
		if o, err := outlook.Read(t.Context(), tx, stranger.Workspace, outlook.Asked{Number: n}); err != nil || o.Known {
			t.Errorf("a stranger reads %+v, %v", o, err)
		}
		var rows int
		return tx.QueryRow(t.Context(), `select (select count(*) from portfolio_frees($1)) + (select count(*) from portfolio_claims($1, $2, null))`,
			b.Portfolio, b.Number).Scan(&rows)
	})
}
