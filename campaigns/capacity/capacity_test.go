package capacity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/capacity"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers/places"
)

// take takes places for a run, as the feeder does.
func take(t *testing.T, b *fixture.Broadcast, portfolio id.Portfolio, run id.Run, from, n int) {
	t.Helper()
	var wanted []places.Wanted
	for i := from; i < from+n; i++ {
		wanted = append(wanted, places.Wanted{Hash: fmt.Appendf(nil, "%016d", i), Run: run, Ordinal: int32(i)})
	}
	err := b.Pool.InEngine(t.Context(), func(tx pgx.Tx) error {
		got, err := places.Reserve(t.Context(), tx, places.Ask{Portfolio: portfolio, Workspace: b.Workspace, Kind: "campaign"}, wanted)
		for _, ok := range got {
			if !ok {
				t.Error("a place is missing")
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func calendar(t *testing.T, b *fixture.Broadcast, portfolio id.Portfolio) (c capacity.Calendar) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Riyadh")
	if err != nil {
		t.Fatal(err)
	}
	b.In(t, func(tx pgx.Tx) (err error) {
		c, err = capacity.Read(t.Context(), tx, b.Pool.Engine(), b.Workspace, portfolio, zone, capacity.Span{Past: 1, Coming: 3})
		return err
	})
	return c
}

func line(d capacity.CalendarDay) string {
	s := fmt.Sprintf("%d+%d", d.Used, d.Planned)
	if d.Free != nil {
		s += fmt.Sprintf(" free %d", *d.Free)
	}
	for _, l := range d.Lines {
		s += fmt.Sprintf(" %s(%s) %d+%d", l.Who, l.Name, l.Used, l.Planned)
	}
	return s
}

// TestCalendarOfASharedPortfolio: one's own campaigns by name, the other
// workspace's as one line; a day later all of it is the past.
func TestCalendarOfASharedPortfolio(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	// Noon in Riyadh, so that the days of the test are those of the calendar.
	noon := time.Duration((9-time.Now().UTC().Hour()+24)%24) * time.Hour
	pgtest.MoveClock(t, pool, noon)
	a, b := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	a.AddPeople(t, a.Audience, 500)
	b.AddPeople(t, b.Audience, 1000)
	b.Do(t, `update number set portfolio_id = $1`, a.Portfolio)
	b.Portfolio = a.Portfolio
	mine, theirs := a.Launch(t, "Eid").RunID, b.Launch(t, "Theirs").RunID
	take(t, a, a.Portfolio, mine, 1, 100)
	take(t, b, a.Portfolio, theirs, 1001, 50)
	a.Do(t, `update run set fed = 100 where id = $1`, mine)
	b.Do(t, `update run set fed = 50 where id = $1`, theirs)

	c := calendar(t, a, a.Portfolio)
	if c.Usable == nil || *c.Usable != 900 || len(c.Days) != 4 || c.Zone != "Asia/Riyadh" {
		t.Fatalf("%+v", c)
	}
	// 900 usable: 150 taken, 400 and 950 to come.
	for i, want := range []string{
		"0+0",
		"150+750 free 0 campaign(Eid) 100+400 others() 50+350",
		"0+600 free 300 others() 0+600",
		"0+0 free 900",
	} {
		if got := line(c.Days[i]); got != want {
			t.Errorf("day %s: %s, want %s", c.Days[i].Date, got, want)
		}
	}
	if got := line(calendar(t, b, a.Portfolio).Days[1]); got != "150+750 free 0 campaign(Theirs) 50+350 others() 100+400" {
		t.Errorf("theirs: %s", got)
	}
	pgtest.MoveClock(t, pool, noon+26*time.Hour)
	if err := pool.InEngine(t.Context(), func(tx pgx.Tx) error { return places.Sweep(t.Context(), tx, a.Portfolio) }); err != nil {
		t.Fatal(err)
	}
	c = calendar(t, a, a.Portfolio)
	if got := line(c.Days[0]); got != "150+0 campaign(Eid) 100+0 others() 50+0" {
		t.Errorf("the day after, yesterday: %s", got)
	}
	if c.Days[1].Planned != 900 || c.Later != 0 {
		t.Errorf("the day after: %s, %d later", line(c.Days[1]), c.Later)
	}
	stranger := fixture.NewBroadcast(t, pool)
	err := pool.InWorkspace(t.Context(), stranger.Workspace, func(tx pgx.Tx) error {
		_, err := capacity.Read(t.Context(), tx, pool.Engine(), stranger.Workspace, a.Portfolio, time.UTC, capacity.Span{Coming: 1})
		return err
	})
	if !errs.Is(err, "not_found") {
		t.Errorf("a stranger reads %v", err)
	}
}

func TestStandingOfACampaign(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	if _, err := b.Pool.Engine().Exec(t.Context(), `insert into portfolio_share (portfolio_id, name, size) values ($1, 'orders', 300)`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	c := b.Campaign(t, "Orders")
	set := func(campaign id.Campaign, priority, share string) (s capacity.CampaignPriority, err error) {
		err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
			s, err = capacity.Set(t.Context(), tx, b.Actor, campaign, priority, share)
			return err
		})
		return s, err
	}
	for _, x := range []struct{ priority, share, want string }{
		{"urgent", "", "campaign.priority"}, {"", "", "campaign.priority"}, {"high", "Orders", "campaign.share_unknown"},
	} {
		if _, err := set(c.ID, x.priority, x.share); !errs.Is(err, x.want) {
			t.Errorf("%v: %v", x, err)
		}
	}
	if _, err := set(id.New[id.Campaign](), "high", ""); !errs.Is(err, "not_found") {
		t.Errorf("no campaign: %v", err)
	}
	for range 2 { // the second time changes nothing
		if s, err := set(c.ID, "high", "orders"); err != nil || s.Priority != "high" || s.Share != "orders" || s.PortfolioID != b.Portfolio {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	var deeds int
	var list []capacity.Open
	b.In(t, func(tx pgx.Tx) (err error) {
		if err = tx.QueryRow(t.Context(), `select count(*) from audit where action = 'campaign.priority_set'`).Scan(&deeds); err != nil {
			return err
		}
		list, err = capacity.ListOpen(t.Context(), tx, b.Workspace, b.Portfolio)
		return err
	})
	if deeds != 1 || len(list) != 1 || list[0].Priority != "high" || list[0].Share != "orders" {
		t.Errorf("%d deeds, open campaigns %+v", deeds, list)
	}
	b.Do(t, `update campaign set state = 'completed' where id = $1`, c.ID)
	if _, err := set(c.ID, "low", ""); !errs.Is(err, "campaign.state") {
		t.Errorf("over: %v", err)
	}
}
