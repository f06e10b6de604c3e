package scheduler

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/waves"
	"bareed/internal/pg/pgtest"
)

// A campaign of more than a thousand people begins in waves, nothing beyond the
// open one is fed, and the leader's own jobs open the next behind its gate.
func TestARunIsFedWaveByWave(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	f := &feeding{Scheduler: s, b: b, now: time.Now()}
	s.Clock = func() time.Time { return f.now }
	b.AddPeople(t, b.Audience, 1198) // the planner brought two
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null, reserve = 0 where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	l := b.Launch(t, "Waves")
	f.run = l.RunID
	// The fixture began the run itself: begin it once more, as the leader does.
	b.Do(t, `update campaign set state = 'starting' where id = $1`, l.CampaignID)
	b.Do(t, `update run set state = 'planning' where id = $1`, l.RunID)
	if err := s.dueRuns(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := 0
	feed := func(until int) {
		for range 400 {
			list := f.ticks(t, 1)
			f.accept(t, list)
			sent += len(list)
			if sent >= until {
				break
			}
		}
		for _, m := range f.ticks(t, 5) {
			t.Errorf("message %d was fed beyond the wave", m.Ordinal)
		}
	}
	feed(500)
	if sent != 500 {
		t.Fatalf("%d of the canary's 500 were fed", sent)
	}
	b.Do(t, `update message set state = 'delivered', delivered_at = bareed_now() where run_id = $1 and state = 'accepted'`, f.run)
	look := func() {
		f.now = f.now.Add(time.Hour) // whatever the pace of looking
		if err := s.reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.breaker(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if _, err := pgtest.Owner(t, b.Pool).Exec(t.Context(), `update clock_offset set shift = shift + interval '29 minutes'`); err != nil {
		t.Fatal(err)
	}
	look()
	if n := len(f.ticks(t, 3)); n != 0 {
		t.Fatalf("%d were fed a minute before the gate", n)
	}
	if _, err := pgtest.Owner(t, b.Pool).Exec(t.Context(), `update clock_offset set shift = shift + interval '1 minute'`); err != nil {
		t.Fatal(err)
	}
	look()
	feed(1200)
	if sent != 1200 {
		t.Errorf("%d of 1200 were fed at the end", sent)
	}
	b.In(t, func(tx pgx.Tx) error {
		w, err := waves.Read(t.Context(), tx, b.Workspace, l.CampaignID, breaker.Limits{})
		if len(w.Waves) != 2 || w.Open != 2 || w.Waits != "" {
			t.Errorf("at the end: %+v", w)
		}
		c, gone := campaigns.Get(t.Context(), tx, b.Workspace, l.CampaignID)
		if len(c.Stops) != 0 || gone != nil {
			t.Errorf("held: %+v, %v", c.Stops, gone)
		}
		return err
	})
}
