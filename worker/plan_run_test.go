package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync"
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
	"bareed/queue"
)

// drafted is a campaign to some people, and a worker to plan it.
func drafted(t *testing.T, people int) (*Worker, *fixture.Broadcast, campaigns.Campaign) {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, people)
	w := New(Config{Pool: b.Pool, Vault: b.Vault, Clock: clock.System, Log: slog.New(slog.DiscardHandler), Name: "test", Slots: 1})
	return w, b, b.Campaign(t, "Planned")
}

func launched(t *testing.T, b *fixture.Broadcast, c id.Campaign) queue.PlanRun {
	t.Helper()
	k := b.Check(t, c)
	var l campaigns.Launched
	b.In(t, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(t.Context(), tx, b.Actor, c, campaigns.LaunchRequest{Expected: k.Eligible})
		return err
	})
	return queue.PlanRun{Workspace: b.Workspace, Run: l.RunID}
}

func counted(t *testing.T, b *fixture.Broadcast, sql string, args ...any) (n int) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error { return tx.QueryRow(t.Context(), sql, args...).Scan(&n) })
	return n
}

// TestPlanRunIsResumed cuts the task off at many moments; each time another one
// can go on at once, and at the end nobody is missing or planned twice.
func TestPlanRunIsResumed(t *testing.T) {
	t.Parallel()
	people := 4*plan.Size + 3
	w, b, c := drafted(t, people)
	task := launched(t, b, c.ID)
	cut := 0
	for after := 5 * time.Millisecond; ; after += 50 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		err := w.planRun(ctx, task)
		cancel()
		if counted(t, b, `select plan_done::int from run where workspace_id = $1 and id = $2`, b.Workspace, task.Run) == 1 {
			break
		}
		if err != nil {
			cut++
		}
	}
	if cut == 0 {
		t.Error("the task was never cut off")
	}
	for what, sql := range map[string]string{
		"messages": `select count(*) from message where run_id = $1`,
		"people":   `select count(distinct contact_id) from message where run_id = $1`,
		"last":     `select max(ordinal) from message where run_id = $1`,
	} {
		if n := counted(t, b, sql, task.Run); n != people {
			t.Errorf("%s: %d, want %d", what, n, people)
		}
	}
	if n := counted(t, b, `select count(*) from run where workspace_id = $1 and id = $2 and state = 'running'`, b.Workspace, task.Run); n != 1 {
		t.Error("the run is not running")
	}
}

func TestPlanRunBeginsWithTheFirstChunk(t *testing.T) {
	t.Parallel()
	w, b, c := drafted(t, plan.Size+1)
	task := launched(t, b, c.ID)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.planRun(ctx, task) }()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var types []string
	b.In(t, func(tx pgx.Tx) error {
		events, err := campaigns.Events(t.Context(), tx, b.Workspace, c.ID, 0, 100)
		for _, e := range events {
			types = append(types, e.Type)
		}
		return err
	})
	if started, planned := slices.Index(types, "campaign.started"), slices.Index(types, "campaign.planned"); started < 0 || planned < started {
		t.Errorf("events %v: it did not start before it was planned", types)
	}
}

func TestPlanRunTwinsAndStrangers(t *testing.T) {
	t.Parallel()
	w, b, c := drafted(t, plan.Size+1)
	task := launched(t, b, c.ID)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := w.planRun(t.Context(), task); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := counted(t, b, `select count(*) from message where run_id = $1`, task.Run); n != plan.Size+1 {
		t.Errorf("%d messages", n)
	}
	if err := w.planRun(t.Context(), queue.PlanRun{Workspace: b.Workspace, Run: id.New[id.Run]()}); err != nil {
		t.Errorf("a run that is not there: %v", err)
	}
}

func TestCheckCampaignGoesOnWhereItWasKilled(t *testing.T) {
	t.Parallel()
	people := 2*plan.Size + 5
	w, b, c := drafted(t, people)
	var k id.Check
	b.In(t, func(tx pgx.Tx) (err error) {
		k, err = campaigns.RequestCheck(t.Context(), tx, b.Actor, c.ID)
		return err
	})
	task := queue.CheckCampaign{Workspace: b.Workspace, Check: k}
	for after := 5 * time.Millisecond; ; after += 50 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		err := w.checkCampaign(ctx, task)
		cancel()
		if err == nil {
			break
		}
		// Its lease ends.
		b.Do(t, `update plan_check set lease_until = null where workspace_id = $1 and id = $2`, b.Workspace, k)
	}
	var got check.Check
	b.In(t, func(tx pgx.Tx) (err error) {
		got, err = check.Get(t.Context(), tx, b.Workspace, c.ID, k)
		return err
	})
	if got.State != "completed" || got.Total != int64(people) || got.Eligible != int64(people) {
		t.Errorf("check %+v", got)
	}
}

// A run that begins behind its first chunk begins in waves, with the canary's end
// before anything can be fed.
func TestPlanRunBeginsInWaves(t *testing.T) {
	t.Parallel()
	w, b, c := drafted(t, 1100)
	task := launched(t, b, c.ID)
	if err := w.planRun(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, b, `select wave_to from run where id = $1 and state = 'running'`, task.Run); n != 500 {
		t.Errorf("it may go to %d, want 500", n)
	}
	if n := counted(t, b, `select count(*) from run_wave where run_id = $1`, task.Run); n != 2 {
		t.Errorf("%d waves, want 2", n)
	}
}
