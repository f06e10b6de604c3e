package scheduler

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/campaigns/schedule"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// planPeople plans a run to its end, as the worker does.
func planPeople(t *testing.T, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	for at := (plan.Progress{}); !at.Done; {
		b.In(t, func(tx pgx.Tx) (err error) {
			at, err = plan.Next(t.Context(), tx, b.Vault, box, b.Workspace, run)
			return err
		})
	}
}

// TestHoursEnd: with people left at the end of the hours the run waits for the
// next, or ends and counts them, as was chosen.
func TestHoursEnd(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	clock := clockOf(t, b)
	date := clock.base.Truncate(24 * time.Hour).Add(24 * time.Hour)
	at := date.Add(10 * time.Hour)
	rules := func(after string) schedule.Rules {
		return schedule.Rules{At: at.Format("2006-01-02T15:04"), Zone: "UTC", Window: &schedule.Window{From: "09:00", To: "11:00", After: after}}
	}
	goesOn, ends := planned(t, b, "Goes on", rules("continue")), planned(t, b, "Ends", rules("expire"))
	clock.to(t, at)
	for _, run := range []id.Run{goesOn.RunID, ends.RunID} {
		planPeople(t, b, run)
	}
	fire(t.Context(), t, s, b)
	for _, l := range []campaigns.Launched{goesOn, ends} {
		if now, _ := state(t, b, l.CampaignID); now.State != campaigns.Running || len(now.Stops) != 0 {
			t.Errorf("%s in its hours: %s %+v", now.Name, now.State, now.Stops)
		}
	}
	clock.to(t, at.Add(time.Hour))
	fire(t.Context(), t, s, b)
	now, _ := state(t, b, goesOn.CampaignID)
	if now.State != campaigns.Running || len(now.Stops) != 1 || now.Stops[0].Reason != "outside_hours" || now.Stops[0].Next != "ends_by_itself" ||
		now.Stops[0].Until == nil || !now.Stops[0].Until.Equal(date.Add(33*time.Hour)) {
		t.Errorf("goes on: %s %+v", now.State, now.Stops)
	}
	s.settleAll(t)
	now, list := state(t, b, ends.CampaignID)
	if now.State != campaigns.Expired || list[0].State != "expired" || list[0].Total != 2 || list[0].Suppressed != 2 {
		t.Errorf("ends: %s %+v", now.State, list)
	}
	clock.to(t, date.Add(33*time.Hour+time.Minute))
	fire(t.Context(), t, s, b)
	if now, _ = state(t, b, goesOn.CampaignID); now.State != campaigns.Running || len(now.Stops) != 0 {
		t.Errorf("the next day: %s %+v", now.State, now.Stops)
	}
}

// TestHoursEndBesideAnAct: at the end of the hours a campaign's row is locked before
// its run's, as by everybody who acts on a campaign.
func TestHoursEndBesideAnAct(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	clock := clockOf(t, b)
	at := clock.base.Truncate(24 * time.Hour).Add(34 * time.Hour)
	l := planned(t, b, "Two at once", schedule.Rules{At: at.Format("2006-01-02T15:04"), Zone: "UTC",
		Window: &schedule.Window{From: "09:00", To: "11:00", After: "continue"}})
	clock.to(t, at)
	planPeople(t, b, l.RunID)
	fire(t.Context(), t, s, b)
	clock.to(t, at.Add(time.Hour))
	deadlocks := pgtest.CountDeadlocks(t, b.Pool)
	act, err := pgtest.Owner(t, b.Pool).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := act.Exec(t.Context(), `select from campaign where id = $1 for update`, l.CampaignID); err != nil {
		t.Fatal(err)
	}
	turned := make(chan error, 1)
	go func() { turned <- s.hours(t.Context()) }()
	const waits = `select exists (select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted)`
	watch := pgtest.Owner(t, b.Pool)
	for waiting, end := false, time.Now().Add(30*time.Second); !waiting; {
		if err := watch.QueryRow(t.Context(), waits).Scan(&waiting); err != nil || time.Now().After(end) {
			t.Fatalf("it does not wait for the campaign: %v", err)
		}
	}
	if _, err := act.Exec(t.Context(), `update run set lease_until = null where id = $1`, l.RunID); err != nil {
		t.Error(err)
	}
	if err := act.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-turned; err != nil {
		t.Error(err)
	}
	if now, _ := state(t, b, l.CampaignID); len(now.Stops) != 1 || now.Stops[0].Reason != "outside_hours" {
		t.Errorf("after the hours: %+v", now.Stops)
	}
	if n := deadlocks(); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

func (s *Scheduler) settleAll(t *testing.T) {
	t.Helper()
	if err := s.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// oneInToronto gives one person a number of that city.
func oneInToronto(t *testing.T, b *fixture.Broadcast) {
	t.Helper()
	b.Do(t, `
		update identity set key = '+14165550123', value = '+14165550123', country = 'CA'
		where workspace_id = $1 and contact_id = (select min(contact_id::text)::uuid from identity where workspace_id = $1)`, b.Workspace)
}

// TestEverybodysOwnTime: each message waits for the written time of its person's
// zone, and what their hours leave over for the next day's.
func TestEverybodysOwnTime(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	oneInToronto(t, b)
	clock := clockOf(t, b)
	date := clock.base.Truncate(24 * time.Hour).Add(72 * time.Hour)
	l := planned(t, b, "Own time", schedule.Rules{At: date.Format("2006-01-02") + "T10:00", Zone: "Africa/Cairo", RecipientTime: true})
	if want := date.Add(-4 * time.Hour); !l.StartsAt.Equal(want) {
		t.Fatalf("begins %s, want %s", l.StartsAt, want)
	}
	clock.to(t, l.StartsAt)
	planPeople(t, b, l.RunID)
	fire(t.Context(), t, s, b)
	dues := func() map[string][2]time.Time {
		got := map[string][2]time.Time{}
		b.In(t, func(tx pgx.Tx) error {
			rows, err := tx.Query(t.Context(), `select zone, not_before, closes_at from message where run_id = $1 and feed_after = not_before`, l.RunID)
			if err != nil {
				return err
			}
			var zone string
			var from, to time.Time
			_, err = pgx.ForEachRow(rows, []any{&zone, &from, &to}, func() error {
				got[zone] = [2]time.Time{from, to}
				return nil
			})
			return err
		})
		return got
	}
	check := func(day time.Time, zone string, from, to int) {
		t.Helper()
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		got := dues()[zone]
		if want := time.Date(day.Year(), day.Month(), day.Day(), from, 0, 0, 0, loc); !got[0].Equal(want) {
			t.Errorf("%s: due %s, want %s", zone, got[0], want)
		}
		if want := time.Date(day.Year(), day.Month(), day.Day(), to, 0, 0, 0, loc); !got[1].Equal(want) {
			t.Errorf("%s: until %s, want %s", zone, got[1], want)
		}
	}
	check(date, "Asia/Riyadh", 10, 21)
	check(date, "America/Toronto", 10, 21)
	clock.to(t, date.Add(18*time.Hour)) // 21:00 in Riyadh
	fire(t.Context(), t, s, b)
	check(date.Add(24*time.Hour), "Asia/Riyadh", 9, 21)
	check(date, "America/Toronto", 10, 21)
}

// TestOwnTimeExpires: with hours that end it, whoever was not reached in the hours
// of their own zone is suppressed as expired, zone by zone, and counted; nobody is
// claimed after their hours, and the others are not touched.
func TestOwnTimeExpires(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	oneInToronto(t, b)
	clock := clockOf(t, b)
	date := clock.base.Truncate(24 * time.Hour).Add(72 * time.Hour)
	l := planned(t, b, "Own time that ends", schedule.Rules{At: date.Format("2006-01-02") + "T10:00", Zone: "Africa/Cairo", RecipientTime: true,
		Window: &schedule.Window{From: "09:00", To: "12:00", After: "expire"}})
	clock.to(t, l.StartsAt)
	planPeople(t, b, l.RunID)
	fire(t.Context(), t, s, b)
	of := func(zone string) (m id.Message, state, reason string) {
		b.In(t, func(tx pgx.Tx) error {
			m.Run = l.RunID
			return tx.QueryRow(t.Context(), `select ordinal, state, coalesce(reason, '') from message where run_id = $1 and zone = $2`, l.RunID, zone).Scan(&m.Ordinal, &state, &reason)
		})
		return m, state, reason
	}
	claims := func(zone string) int {
		m, _, _ := of(zone)
		got, err := messages.ClaimAll(t.Context(), b.Pool, b.Workspace, "test", []messages.Want{{Message: m, Token: uuid.New()}})
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	clock.to(t, date.Add(9*time.Hour+time.Second)) // 12:00 in Riyadh, in New York it is night
	if n := claims("Asia/Riyadh") + claims("America/Toronto"); n != 0 {
		t.Errorf("%d claimed outside their own hours", n)
	}
	fire(t.Context(), t, s, b)
	if _, state, reason := of("Asia/Riyadh"); state != "suppressed" || reason != "expired" {
		t.Errorf("after the hours of Riyadh: %s %s", state, reason)
	}
	if _, state, _ := of("America/Toronto"); state != "ready" {
		t.Errorf("before the hours of New York: %s", state)
	}
	now, _ := state(t, b, l.CampaignID)
	if now.State != campaigns.Running {
		t.Errorf("with people left it is %s", now.State)
	}
	clock.to(t, date.Add(48*time.Hour))
	fire(t.Context(), t, s, b)
	s.settleAll(t)
	now, list := state(t, b, l.CampaignID)
	if _, state, reason := of("America/Toronto"); state != "suppressed" || reason != "expired" || list[0].Total != 2 || list[0].Suppressed != 2 {
		t.Errorf("at the end: %s, New York %s %s, %+v", now.State, state, reason, list[0])
	}
}
