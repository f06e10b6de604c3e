package scheduler

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/occurrence"
	"bareed/campaigns/schedule"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// movedClock moves the database's clock to instants, over one connection.
type movedClock struct {
	owner *pgx.Conn
	base  time.Time
}

func clockOf(t *testing.T, b *fixture.Broadcast) movedClock {
	t.Helper()
	return movedClock{pgtest.Owner(t, b.Pool), databaseNow(t, b)}
}

func databaseNow(t *testing.T, b *fixture.Broadcast) (now time.Time) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error { return tx.QueryRow(t.Context(), `select bareed_now()`).Scan(&now) })
	return now
}

func (c movedClock) to(t *testing.T, at time.Time) {
	t.Helper()
	if _, err := c.owner.Exec(t.Context(), `update clock_offset set shift = $1`, time.Until(at)); err != nil {
		t.Fatal(err)
	}
}

// planned makes a campaign with rules and launches it; nothing is fed in these tests.
func planned(t *testing.T, b *fixture.Broadcast, name string, r schedule.Rules) campaigns.Launched {
	t.Helper()
	c := b.Campaign(t, name)
	rules := &r
	b.In(t, func(tx pgx.Tx) (err error) {
		c, err = campaigns.Edit(t.Context(), tx, b.Actor, c.ID, c.Version, campaigns.Change{Schedule: &rules})
		return err
	})
	k := b.Check(t, c.ID)
	var l campaigns.Launched
	b.In(t, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(t.Context(), tx, b.Actor, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
		return err
	})
	return l
}

// fire does what the leader does when a firing is due, without anybody to send to.
func fire(ctx context.Context, t *testing.T, s *Scheduler, b *fixture.Broadcast) {
	t.Helper()
	_ = s.dueRuns(ctx) // one that was killed says so
	_ = s.hours(ctx)
}

const sqlEmptyPlans = `update run set plan_done = true where workspace_id = $1 and state = 'planning' and starts_at <= bareed_now()`

// finish takes all runs to their end.
func finish(t *testing.T, s *Scheduler) {
	t.Helper()
	for range 2 {
		if err := moveEach(t.Context(), s, "finish", sqlRunsOnWay, func(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
			_, err := campaigns.Finish(ctx, tx, ws, run)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

const sqlRunsOnWay = `select workspace_id, id from run where state in ('running', 'finishing')`

func state(t *testing.T, b *fixture.Broadcast, c id.Campaign) (got campaigns.Campaign, list []occurrence.Firing) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		if got, err = campaigns.Get(t.Context(), tx, b.Workspace, c); err != nil {
			return err
		}
		list, err = occurrence.List(t.Context(), tx, b.Workspace, c, id.Run{}, 2000)
		return err
	})
	return got, list
}

func cronRules(zone, cron string) schedule.Rules {
	return schedule.Rules{Zone: zone, Recurring: &schedule.Recurrence{Every: "cron", Cron: cron}}
}

// TestEveryFiringOnce: hundreds of firings in twelve zones (prove-long: a thousand), through their days
// of changing clocks, two schedulers at once of which one is killed in the middle
// twenty times, and a clock that steps back an hour: each fires exactly once.
func TestEveryFiringOnce(t *testing.T) {
	t.Parallel()
	one, b := planner(t)
	two := New(one.Config)
	clock := clockOf(t, b)
	zones := []string{"Europe/Berlin", "Europe/London", "Asia/Beirut", "Asia/Jerusalem", "Europe/Chisinau", "Antarctica/Troll",
		"Australia/Lord_Howe", "Pacific/Chatham", "America/Santiago", "Australia/Sydney", "Asia/Riyadh", "Asia/Kathmandu"}
	year := clock.base.Year() + 1
	from, to := time.Date(year, 3, 22, 12, 0, 0, 0, time.UTC), time.Date(year, 4, 6, 12, 0, 0, 0, time.UTC)
	clock.to(t, from)
	const cron = "30 0,2 * * *" // clocks change at midnight and between one and three
	wants := map[id.Campaign][]time.Time{}
	total := 0
	for _, zone := range zones {
		r := cronRules(zone, cron)
		l := planned(t, b, zone, r)
		for f, ok := r.From(from); ok && !f.At.After(to); f, ok = r.Next(f) {
			wants[l.CampaignID] = append(wants[l.CampaignID], f.At)
			total++
		}
	}
	if total < 350 {
		t.Fatalf("only %d firings", total)
	}
	random, kills := rand.New(rand.NewPCG(3, 4)), 0
	for at := from; !at.After(to); at = at.Add(15 * time.Minute) {
		if !slices.ContainsFunc(zones, func(string) bool { return dueAt(wants, at) }) {
			continue
		}
		clock.to(t, at)
		b.Do(t, sqlEmptyPlans, b.Workspace)
		ctx, kill := context.WithCancel(t.Context())
		if kills < 20 && random.IntN(5) == 0 {
			kills++
			time.AfterFunc(time.Duration(random.IntN(4000))*time.Microsecond, kill)
		}
		var wg sync.WaitGroup
		wg.Go(func() { fire(ctx, t, one, b) })
		wg.Go(func() { fire(t.Context(), t, two, b) })
		wg.Wait()
		kill()
		finish(t, two)
		if random.IntN(40) == 0 {
			clock.to(t, at.Add(-time.Hour))
			fire(t.Context(), t, two, b)
		}
	}
	if kills < 20 {
		t.Errorf("only %d kills", kills)
	}
	for c, want := range wants {
		now, list := state(t, b, c)
		var got []time.Time
		for _, f := range slices.Backward(list) {
			if f.State == "completed" {
				got = append(got, f.StartsAt)
			} else if f.State != "planning" {
				t.Errorf("%s: a firing is %s (%s)", now.Name, f.State, f.Reason)
			}
		}
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%s fired %d times, want %d", now.Name, len(got), len(want))
		}
	}
}

func dueAt(wants map[id.Campaign][]time.Time, at time.Time) bool {
	for _, list := range wants {
		for _, w := range list {
			if w.After(at.Add(-15*time.Minute)) && !w.After(at) {
				return true
			}
		}
	}
	return false
}

// TestDownAtDueTime: ten minutes late it runs and says so; three hours late it is
// missed and says why; of several that are due together the last is sent; and a
// campaign that recurs goes on.
func TestDownAtDueTime(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	clock := clockOf(t, b)
	from := clock.base.Truncate(24 * time.Hour).Add(24*time.Hour + 30*time.Minute)
	clock.to(t, from)
	daily := planned(t, b, "Daily", cronRules("UTC", "0 9 * * *"))
	often := planned(t, b, "Often", cronRules("UTC", "*/15 9 * * *"))
	at := func(d time.Duration) time.Time { return from.Truncate(24 * time.Hour).Add(d) }
	tick := func(d time.Duration) {
		clock.to(t, at(d))
		b.Do(t, sqlEmptyPlans, b.Workspace)
		fire(t.Context(), t, s, b)
		b.Do(t, sqlEmptyPlans, b.Workspace)
		fire(t.Context(), t, s, b)
		finish(t, s)
	}
	tick(9*time.Hour + 10*time.Minute)
	if now, list := state(t, b, daily.CampaignID); now.State != campaigns.Scheduled || len(list) != 2 || list[1].State != "completed" || list[1].LateSeconds < 590 || list[1].LateSeconds > 700 {
		t.Errorf("ten minutes late: %s %+v", now.State, list)
	}
	tick(24*time.Hour + 9*time.Hour + 35*time.Minute)
	_, list := state(t, b, often.CampaignID)
	var sent, missed int
	for _, f := range list {
		switch {
		case f.State == "completed":
			sent++
		case f.State == "missed" && (f.Reason == occurrence.Superseded || f.Reason == occurrence.Late):
			missed++
		}
	}
	if sent != 2 || missed != 5 {
		t.Errorf("every quarter: %d sent, %d missed: %+v", sent, missed, list)
	}
	tick(48*time.Hour + 12*time.Hour)
	now, list := state(t, b, daily.CampaignID)
	if now.State != campaigns.Scheduled || list[1].State != "missed" || list[1].Reason != occurrence.Late || list[0].State != "planning" || !now.Schedule.At.Equal(at(72*time.Hour+9*time.Hour)) {
		t.Errorf("three hours late: %s, next %v, %+v", now.State, now.Schedule, list)
	}
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.Edit(t.Context(), tx, b.Actor, daily.CampaignID, now.Version, campaigns.Change{})
		if e, ok := errs.As(err); !ok || e.Code != "campaign.state" || e.Status() != 409 || e.Params["state"] != campaigns.Scheduled {
			t.Errorf("edited while it fires: %v", err)
		}
		_, err = campaigns.End(t.Context(), tx, b.Actor, daily.CampaignID)
		return err
	})
	if now, list = state(t, b, daily.CampaignID); now.State != campaigns.Stopped || list[0].State != "stopped" {
		t.Errorf("stopped: %s, %+v", now.State, list[0])
	}
}

// TestHeldAtDueTime: with the template paused nothing begins, the page says why,
// and in the end the firing is missed for that reason.
func TestHeldAtDueTime(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	clock := clockOf(t, b)
	l := planned(t, b, "Paused template", cronRules("UTC", "0 * * * *"))
	var template id.Template
	b.In(t, func(tx pgx.Tx) error {
		c, err := campaigns.Get(t.Context(), tx, b.Workspace, l.CampaignID)
		if err != nil {
			return err
		}
		template = c.TemplateID
		_, err = messages.OpenStop(t.Context(), tx, b.Workspace, messages.Opening{Scope: messages.ScopeTemplate, ScopeID: template,
			Reason: "template_paused", ByRule: true, By: "system:webhook"})
		return err
	})
	clock.to(t, l.StartsAt.Add(time.Minute))
	b.Do(t, sqlEmptyPlans, b.Workspace)
	fire(t.Context(), t, s, b)
	now, list := state(t, b, l.CampaignID)
	if list[0].State != "planning" || !now.Holding || now.Stops[0].Reason != "template_paused" {
		t.Errorf("at its time: %s %+v, stops %+v", now.State, list, now.Stops)
	}
	clock.to(t, l.StartsAt.Add(61*time.Minute))
	fire(t.Context(), t, s, b)
	now, list = state(t, b, l.CampaignID)
	if last := list[len(list)-1]; last.State != "missed" || last.Reason != "blocked:template_paused" || now.State != campaigns.Scheduled {
		t.Errorf("an hour later: %s %+v", now.State, list)
	}
}

// TestZoneRulesChanged: a firing saved under other rules moves to where its
// written time is now, and the audit says so.
func TestZoneRulesChanged(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	l := planned(t, b, "Zones", cronRules("Africa/Cairo", "0 9 * * *"))
	b.Do(t, `update run set starts_at = starts_at + interval '1 hour' where workspace_id = $1 and id = $2`, b.Workspace, l.RunID)
	b.Do(t, `update campaign set send_at = send_at + interval '1 hour' where workspace_id = $1 and id = $2`, b.Workspace, l.CampaignID)
	for range 2 { // the second finds nothing
		if err := s.zones(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now, list := state(t, b, l.CampaignID)
	if !now.Schedule.At.Equal(l.StartsAt) || !list[0].StartsAt.Equal(l.StartsAt) {
		t.Errorf("due at %s and %s, want %s", now.Schedule.At, list[0].StartsAt, l.StartsAt)
	}
	var n int
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from audit where action = 'campaign.rescheduled' and subject = $1 and detail->>'zone' = 'Africa/Cairo'`,
			l.CampaignID.String()).Scan(&n)
	})
	if n != 1 {
		t.Errorf("%d lines of audit", n)
	}
}
