package campaigns_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

func TestFiftyLaunchesMakeOneRun(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	c := create(t, b, "Once")
	b.Check(t, c.ID)
	var mu sync.Mutex
	var wg sync.WaitGroup
	runs := map[id.Run]int{}
	for range 50 {
		wg.Go(func() {
			l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: 3})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			runs[l.RunID]++
		})
	}
	wg.Wait()
	if len(runs) != 1 {
		t.Errorf("runs %v", runs)
	}
	if n := number(t, b, `select count(*) from run where workspace_id = $1`, b.Workspace); n != 1 {
		t.Errorf("%d runs", n)
	}
	if n := number(t, b, `select count(*) from audit where workspace_id = $1 and action = 'campaign.launched'`, b.Workspace); n != 1 {
		t.Errorf("%d launches in the audit", n)
	}
}

func TestLaunchRefuses(t *testing.T) {
	t.Parallel()
	one := campaigns.LaunchRequest{Expected: 2}
	for _, c := range []struct {
		name, code string
		request    campaigns.LaunchRequest
		before     func(t *testing.T, b *fixture.Broadcast, c id.Campaign)
	}{
		{"no check", "campaign.check_missing", one, func(*testing.T, *fixture.Broadcast, id.Campaign) {}},
		{"check under way", "campaign.check_missing", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			must(t, b, func(ctx context.Context, tx pgx.Tx) (id.Check, error) {
				return campaigns.RequestCheck(ctx, tx, b.Actor, c)
			})
		}},
		{"edited since", "campaign.check_missing", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			name := "Edited"
			must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
				return campaigns.Edit(ctx, tx, b.Actor, c, 1, campaigns.Change{Name: &name})
			})
		}},
		{"other figure", "campaign.recipients_changed", campaigns.LaunchRequest{Expected: 3}, checked},
		{"audience grew", "campaign.audience_changed", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			b.AddPeople(t, b.Audience, 1)
		}},
		{"nobody", "campaign.no_recipients", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Do(t, `update permission set granted = false where workspace_id = $1`, b.Workspace)
			b.Check(t, c)
		}},
		{"template paused", "template.not_sendable", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			b.Do(t, `update template set status = 'PAUSED' where workspace_id = $1`, b.Workspace)
		}},
		{"template changed", "template.params", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			b.Do(t, `update template set components = '[{"type":"BODY","text":"{{1}} {{2}}"}]' where workspace_id = $1`, b.Workspace)
		}},
		{"number not connected", "number.cannot_send", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			b.Do(t, `update number set status = 'FLAGGED' where workspace_id = $1`, b.Workspace)
		}},
		{"past", "schedule.past", campaigns.LaunchRequest{Expected: 2, At: "2020-01-01T10:00:00Z"}, checked},
		{"no zone", "schedule.zone_required", campaigns.LaunchRequest{Expected: 2, At: "2020-01-01T10:00"}, checked},
		{"stopped", "campaign.state", one, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			if _, err := launch(t, b, c, one); err != nil {
				t.Fatal(err)
			}
			must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
				return campaigns.End(ctx, tx, b.Actor, c)
			})
		}},
		{"launched with another figure", "campaign.recipients_changed", campaigns.LaunchRequest{Expected: 1}, func(t *testing.T, b *fixture.Broadcast, c id.Campaign) {
			b.Check(t, c)
			if _, err := launch(t, b, c, one); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBroadcast(t, 2)
			made := create(t, b, "Campaign")
			c.before(t, b, made.ID)
			_, err := launch(t, b, made.ID, c.request)
			wantCode(t, err, c.code)
		})
	}
}

func checked(t *testing.T, b *fixture.Broadcast, c id.Campaign) { b.Check(t, c) }

func TestBreakdownOfNobody(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	b.Do(t, `delete from identity where workspace_id = $1 and key = (select max(key) from identity where workspace_id = $1)`, b.Workspace)
	b.Do(t, `update permission set granted = false where workspace_id = $1`, b.Workspace)
	c := create(t, b, "Nobody")
	b.Check(t, c.ID)
	_, err := launch(t, b, c.ID, campaigns.LaunchRequest{})
	if e := wantCode(t, err, "campaign.no_recipients"); e.Params["suppressed"] != "no_address 1, opted_out 2" {
		t.Errorf("breakdown %v", e.Params)
	}
}

// TestScheduled goes to the time of a scheduled campaign, and beyond what is
// still allowed.
func TestScheduled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		later    time.Duration
		planned  bool
		run      campaigns.RunState
		campaign campaigns.State
	}{
		{"before", 30 * time.Minute, true, campaigns.RunPlanning, campaigns.Scheduled},
		{"due and planned", time.Hour + time.Minute, true, campaigns.RunRunning, campaigns.Running},
		{"due, not planned", time.Hour + time.Minute, false, campaigns.RunPlanning, campaigns.Starting},
		{"late", 2*time.Hour - time.Minute, true, campaigns.RunRunning, campaigns.Running},
		{"too late", 2*time.Hour + time.Minute, true, campaigns.RunMissed, campaigns.Expired},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBroadcast(t, 2)
			made := create(t, b, "Later")
			b.Check(t, made.ID)
			at := text(t, b, `select to_char(bareed_now() + interval '1 hour' + interval '3 hours', 'YYYY-MM-DD"T"HH24:MI:SS')`)
			l, err := launch(t, b, made.ID, campaigns.LaunchRequest{Expected: 2, At: at, Zone: "Asia/Riyadh"})
			if err != nil || l.State != campaigns.Scheduled || l.Schedule.Local != at {
				t.Fatalf("launched %+v, %v", l, err)
			}
			if c.planned {
				planChunk(t, b, l.RunID)
			}
			pgtest.MoveClock(t, b.Pool, c.later)
			for range 3 { // idempotent
				due(t, b, l.RunID)
			}
			if got := runState(t, b, l.RunID); got != c.run {
				t.Errorf("run is %s, want %s", got, c.run)
			}
			if got := get(t, b, made.ID); got.State != c.campaign {
				t.Errorf("campaign is %s, want %s", got.State, c.campaign)
			}
		})
	}
}

func TestMissedRunSendsNothing(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	_, run := launched(t, b, "Missed")
	planChunk(t, b, run)
	pgtest.MoveClock(t, b.Pool, 90*time.Minute)
	due(t, b, run)
	if !finish(t, b, run) {
		t.Error("not settled")
	}
	if n := number(t, b, `select count(*) from message where run_id = $1 and state = 'suppressed' and reason = 'expired'`, run); n != 2 {
		t.Errorf("%d messages expired", n)
	}
}

func TestUndoGrace(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := create(t, b, "Grace")
	b.Check(t, c.ID)
	grace := 5 * time.Minute
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: 1, Undo: &grace})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	if runState(t, b, l.RunID) != campaigns.RunPlanning || get(t, b, c.ID).State != campaigns.Starting {
		t.Error("the run began within the grace")
	}
	pgtest.MoveClock(t, b.Pool, grace+time.Second)
	due(t, b, l.RunID)
	if runState(t, b, l.RunID) != campaigns.RunRunning {
		t.Error("the run did not begin after the grace")
	}
}

func TestARunKeepsWhatItWasLaunchedWith(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	_, run := launched(t, b, "Kept")
	b.Do(t, `update template set components = '[{"type":"BODY","text":"other"}]', components_hash = '\x01' where workspace_id = $1`, b.Workspace)
	planAll(t, b, run)
	if n := number(t, b, `select count(*) from message where run_id = $1 and state = 'ready'`, run); n != 1 {
		t.Errorf("%d ready", n)
	}
	if got := text(t, b, `select encode(components_hash, 'hex') from run where id = $1 and workspace_id = $2`, run, b.Workspace); got == "01" {
		t.Error("the run has the new template's hash")
	}
}

func TestCheckOfACampaignThatIsEdited(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := create(t, b, "Edited")
	k := must(t, b, func(ctx context.Context, tx pgx.Tx) (id.Check, error) {
		return campaigns.RequestCheck(ctx, tx, b.Actor, c.ID)
	})
	again := must(t, b, func(ctx context.Context, tx pgx.Tx) (id.Check, error) {
		return campaigns.RequestCheck(ctx, tx, b.Actor, c.ID)
	})
	if k != again {
		t.Error("a second request made a second check")
	}
	name := "New"
	must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Edit(ctx, tx, b.Actor, c.ID, 1, campaigns.Change{Name: &name})
	})
	must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) {
		return check.Lease(ctx, tx, b.Workspace, k)
	})
	done := must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) {
		return check.Chunk(ctx, tx, b.Vault, b.Workspace, k)
	})
	got := must(t, b, func(ctx context.Context, tx pgx.Tx) (check.Check, error) {
		return check.Get(ctx, tx, b.Workspace, c.ID, k)
	})
	if !done || got.State != "failed" || !got.Outdated || get(t, b, c.ID).State != campaigns.Draft {
		t.Errorf("done %v, check %+v", done, got)
	}
	if got := text(t, b, `select state from job where workspace_id = $1 and id = $2`, b.Workspace, k); got != "failed" {
		t.Errorf("job is %s", got)
	}
	if k := b.Check(t, c.ID); k.State != "completed" || k.Eligible != 1 {
		t.Errorf("the next check: %+v", k)
	}
}
