package worker

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/queue"
)

func campaignOf(t *testing.T, b *fixture.Broadcast, c id.Campaign) (got campaigns.Campaign) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		got, err = campaigns.Get(t.Context(), tx, b.Workspace, c)
		return err
	})
	return got
}

// A run that can never be planned says so after five failures in a row and is
// left alone until a person clears the stop; then counting begins anew.
func TestPlanThatAlwaysFailsHolds(t *testing.T) {
	t.Parallel()
	w, b, c := drafted(t, 3)
	task := launched(t, b, c.ID)
	var template string
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select template from run where workspace_id = $1 and id = $2`, b.Workspace, task.Run).Scan(&template)
	})
	set := func(to string) {
		t.Helper()
		b.Do(t, `update run set template = $3::text::jsonb where workspace_id = $1 and id = $2`, b.Workspace, task.Run, to)
	}
	set(`"unreadable"`)
	later := 0 * time.Minute
	fail := func(times int) {
		t.Helper()
		for i := range times {
			var before time.Time
			b.In(t, func(tx pgx.Tx) error { return tx.QueryRow(t.Context(), `select bareed_now()`).Scan(&before) })
			if err := w.planRun(t.Context(), task); err == nil {
				t.Fatalf("try %d planned it", i+1)
			}
			// It rests 5 s or more, and here somewhat longer: the machine may be busy.
			b.Do(t, `update run set lease_until = lease_until + interval '30 seconds'
				where workspace_id = $1 and id = $2 and lease_until >= $3::timestamptz + interval '5 seconds'`, b.Workspace, task.Run, before)
			if err := w.planRun(t.Context(), task); err != nil {
				t.Fatalf("it was tried again at once: %v", err)
			}
			later += time.Minute
			pgtest.MoveClock(t, b.Pool, later)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 * plan.Failures { // shutdowns count for nothing
		if err := w.planRun(stopped, task); err == nil {
			t.Fatal("planned under an ended context")
		}
	}
	fail(plan.Failures - 1)
	if got := campaignOf(t, b, c.ID); got.Holding {
		t.Fatalf("held after %d failures", plan.Failures-1)
	}
	fail(1)
	got := campaignOf(t, b, c.ID)
	if len(got.Stops) != 1 || !got.Holding || got.Stops[0].Reason != "plan_failed" || got.Stops[0].Scope != "run" ||
		got.Stops[0].OpenedBy != "system:plan" || got.Stops[0].Threshold == "" || got.Stops[0].Measured == "" {
		t.Fatalf("stops %+v, holding %v", got.Stops, got.Holding)
	}
	set(template)
	if err := w.planRun(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	planned := func() int {
		return counted(t, b, `select planned from run where workspace_id = $1 and id = $2`, b.Workspace, task.Run)
	}
	if n := planned(); n != 0 {
		t.Fatalf("%d people planned under the stop", n)
	}
	resume := func() {
		t.Helper()
		a := b.Actor
		a.Role = accounts.Owner
		b.In(t, func(tx pgx.Tx) error {
			_, err := campaigns.Resume(t.Context(), tx, a, c.ID, campaigns.ResumeRequest{ClearHolds: true, Reason: "mended"})
			return err
		})
	}
	set(`"unreadable"`)
	resume()
	fail(plan.Failures - 1)
	if got := campaignOf(t, b, c.ID); got.Holding {
		t.Error("counting did not begin anew")
	}
	set(template)
	if err := w.planRun(t.Context(), task); err != nil || planned() != 3 {
		t.Errorf("planned %d, %v", planned(), err)
	}
	if n := counted(t, b, `select plan_failures from run where workspace_id = $1 and id = $2`, b.Workspace, task.Run); n != 0 {
		t.Errorf("%d failures after a success", n)
	}
}

// A table that is locked says nothing of the run.
func TestPlanUnderALockCountsNoFailure(t *testing.T) {
	t.Parallel()
	w, b, c := drafted(t, 1)
	task := launched(t, b, c.ID)
	locked := lockTable(t, b, "message")
	if err := w.planRun(t.Context(), task); err == nil {
		t.Fatal("planned although the table is locked")
	}
	locked()
	if n := counted(t, b, `select plan_failures from run where workspace_id = $1 and id = $2`, b.Workspace, task.Run); n != 0 {
		t.Errorf("%d failures", n)
	}
	if err := w.planRun(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, b, `select planned from run where workspace_id = $1 and id = $2`, b.Workspace, task.Run); n != 1 {
		t.Errorf("%d planned at once after the lock", n)
	}
}

// lockTable keeps everybody from a table until the returned function is called.
func lockTable(t *testing.T, b *fixture.Broadcast, table string) (unlock func()) {
	t.Helper()
	conn, err := b.Pool.App().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock = func() {
		_ = tx.Rollback(context.WithoutCancel(t.Context())) // again is harmless
		if conn != nil {
			conn.Release()
			conn = nil
		}
	}
	t.Cleanup(unlock)
	if _, err := tx.Exec(t.Context(), `lock table `+table+` in share row exclusive mode`); err != nil {
		t.Fatal(err)
	}
	return unlock
}

// A check that can never be worked out ends as failed, and the campaign is a
// draft that can be mended.
func TestCheckThatAlwaysFailsEnds(t *testing.T) {
	t.Parallel()
	w, b, c := drafted(t, 3)
	var k id.Check
	request := func() {
		t.Helper()
		b.In(t, func(tx pgx.Tx) (err error) {
			k, err = campaigns.RequestCheck(t.Context(), tx, b.Actor, c.ID)
			return err
		})
	}
	request()
	b.Do(t, `update campaign set variables = '"unreadable"' where workspace_id = $1 and id = $2`, b.Workspace, c.ID)
	task := queue.CheckCampaign{Workspace: b.Workspace, Check: k}
	expire := func() {
		t.Helper()
		b.Do(t, `update plan_check set lease_until = null where workspace_id = $1 and id = $2`, b.Workspace, k)
	}
	for i := range plan.Failures {
		expire()
		if counted(t, b, `select count(*) from plan_check where workspace_id = $1 and id = $2 and state = 'failed'`, b.Workspace, k) != 0 {
			t.Fatalf("failed after %d failures", i)
		}
		if err := w.checkCampaign(t.Context(), task); err == nil {
			t.Fatalf("try %d worked it out", i+1)
		}
	}
	if counted(t, b, `select count(*) from plan_check k join job j using (workspace_id, id)
		where k.workspace_id = $1 and k.id = $2 and k.state = 'failed' and k.finished_at is not null
		  and j.state = 'failed' and j.problem->>'code' = 'campaign.check_failed'`, b.Workspace, k) != 1 {
		t.Error("the check is not failed with its code")
	}
	if counted(t, b, `select count(*) from campaign where workspace_id = $1 and id = $2 and state = 'draft'`, b.Workspace, c.ID) != 1 {
		t.Error("the campaign is not a draft again")
	}
	if err := w.checkCampaign(t.Context(), task); err != nil {
		t.Errorf("the task after the end: %v", err)
	}
}
