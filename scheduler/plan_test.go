package scheduler

import (
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/plan"
	"bareed/internal/clock"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/internal/redistest"
	"bareed/queue"
)

func planner(t *testing.T) (*Scheduler, *fixture.Broadcast) {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 2)
	o, err := queue.ParseURL(redistest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	q := queue.NewClient(o)
	t.Cleanup(func() { q.Close() })
	return New(Config{Pool: b.Pool, Queue: q, Vault: b.Vault, Clock: clock.System, Log: slog.New(slog.DiscardHandler)}), b
}

// waiting is how many tasks of imports, checks and plans wait.
func waiting(t *testing.T, s *Scheduler) int {
	t.Helper()
	all, err := s.Queue.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		if q.Queue == queue.Import {
			return q.Pending
		}
	}
	return 0
}

func planTick(t *testing.T, s *Scheduler) {
	t.Helper()
	if err := s.plan(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPlanEnqueuesWhatNobodyHas(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	now := time.Now()
	s.Clock = func() time.Time { return now } // one feed: twins have one name
	c := b.Campaign(t, "One")
	planTick(t, s)
	if n := waiting(t, s); n != 0 {
		t.Fatalf("%d tasks for a draft", n)
	}
	var k id.Check
	b.In(t, func(tx pgx.Tx) (err error) {
		k, err = campaigns.RequestCheck(t.Context(), tx, b.Actor, c.ID)
		return err
	})
	planTick(t, s)
	planTick(t, s)
	if n := waiting(t, s); n != 1 {
		t.Fatalf("%d tasks for one check", n)
	}
	b.In(t, func(tx pgx.Tx) error {
		_, err := check.Lease(t.Context(), tx, b.Workspace, k)
		return err
	})
	b.Do(t, `update plan_check set lease_until = lease_until + interval '30 seconds' where workspace_id = $1`, b.Workspace) // the machine may be busy
	now = now.Add(10 * time.Second)
	planTick(t, s)
	if n := waiting(t, s); n != 1 {
		t.Errorf("%d tasks for a check that somebody has", n)
	}
	pgtest.MoveClock(t, b.Pool, time.Minute)
	planTick(t, s)
	if n := waiting(t, s); n != 2 {
		t.Errorf("%d tasks after the lease of a check ended", n)
	}
}

func TestPlanMovesWhatIsDue(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	c := b.Campaign(t, "Later")
	k := b.Check(t, c.ID)
	var l campaigns.Launched
	b.In(t, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(t.Context(), tx, b.Actor, c.ID, campaigns.LaunchRequest{Expected: k.Eligible,
			At: time.Now().UTC().Add(time.Hour).Format(time.RFC3339)})
		return err
	})
	state := func() campaigns.State {
		var got campaigns.Campaign
		b.In(t, func(tx pgx.Tx) (err error) {
			got, err = campaigns.Get(t.Context(), tx, b.Workspace, c.ID)
			return err
		})
		return got.State
	}
	planTick(t, s)
	if n := waiting(t, s); n != 0 || l.State != campaigns.Scheduled {
		t.Fatalf("%d tasks an hour before, campaign %s", n, l.State)
	}
	pgtest.MoveClock(t, b.Pool, 55*time.Minute)
	planTick(t, s)
	if n := waiting(t, s); n != 1 || state() != campaigns.Scheduled {
		t.Errorf("%d tasks five minutes before, campaign %s", n, state())
	}
	pgtest.MoveClock(t, b.Pool, 61*time.Minute)
	planTick(t, s)
	if got := state(); got != campaigns.Starting {
		t.Errorf("due, not planned: %s", got)
	}
	pgtest.MoveClock(t, b.Pool, 3*time.Hour)
	planTick(t, s)
	if got := state(); got != campaigns.Expired {
		t.Errorf("too late: %s", got)
	}
	before := waiting(t, s)
	planTick(t, s)
	if after := waiting(t, s); after != before {
		t.Errorf("a missed run is still planned: %d tasks, then %d", before, after)
	}
}

func TestHousekeeping(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	b.Do(t, `insert into idempotency (workspace_id, key, route, fingerprint, created_at)
		values ($1, 'old', 'r', '\x00', bareed_now() - interval '8 days'), ($1, 'new', 'r', '\x00', bareed_now())`, b.Workspace)
	if err := s.housekeeping(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left string
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select string_agg(key, ',') from idempotency where workspace_id = $1`, b.Workspace).Scan(&left)
	})
	if left != "new" {
		t.Errorf("stored answers left: %q", left)
	}
}

// A scheduled run without people costs the reconciler nothing; one with people
// or one that was missed is looked after.
func TestOpenRunsLeaveOutWhatIsOnlyScheduled(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	run := b.Launch(t, "Later").RunID
	found := func() int {
		runs, err := s.openRuns(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(runs)
	}
	for _, c := range []struct {
		set  string
		want int
	}{
		{`state = 'planning', planned = 0, plan_done = false`, 0},
		{`state = 'planning', planned = 2`, 1},
		{`state = 'missed', planned = 0`, 1},
		{`state = 'running', planned = 0, plan_done = true`, 1},
	} {
		b.Do(t, `update run set `+c.set+` where workspace_id = $1 and id = $2`, b.Workspace, run)
		if n := found(); n != c.want {
			t.Errorf("%s: %d open runs, want %d", c.set, n, c.want)
		}
	}
}

// A run whose planning failed too often is nobody's until the stop is cleared.
func TestPlanLeavesARunThatWaitsForAPerson(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	c := b.Campaign(t, "Unplannable")
	k := b.Check(t, c.ID)
	var l campaigns.Launched
	b.In(t, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(t.Context(), tx, b.Actor, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
		return err
	})
	for range plan.Failures {
		b.In(t, func(tx pgx.Tx) error { return plan.Failed(t.Context(), tx, b.Workspace, l.RunID) })
	}
	pgtest.MoveClock(t, b.Pool, time.Minute)
	planTick(t, s)
	if n := waiting(t, s); n != 0 {
		t.Fatalf("%d tasks under the stop", n)
	}
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.Resume(t.Context(), tx, b.Actor, c.ID, campaigns.ResumeRequest{ClearHolds: true, Reason: "mended"})
		return err
	})
	planTick(t, s)
	if n := waiting(t, s); n != 1 {
		t.Errorf("%d tasks after it was resumed", n)
	}
}
