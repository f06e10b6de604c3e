package campaigns_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/messages"
)

func pause(t testing.TB, b *fixture.Broadcast, c id.Campaign) (campaigns.Campaign, error) {
	t.Helper()
	return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Pause(ctx, tx, b.Actor, c)
	})
}

func resume(t testing.TB, b *fixture.Broadcast, c id.Campaign, a accounts.Actor, q campaigns.ResumeRequest) (campaigns.Campaign, error) {
	t.Helper()
	return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Resume(ctx, tx, a, c, q)
	})
}

func TestPauseTwiceResumeTwice(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c, _ := launched(t, b, "Paused")
	for range 2 {
		got, err := pause(t, b, c)
		if err != nil || !got.Paused || got.Holding || len(got.Stops) != 1 || got.Stops[0].Next != "waits_for_resume" {
			t.Fatalf("paused: %+v, %v", got, err)
		}
	}
	for range 2 {
		got, err := resume(t, b, c, b.Actor, campaigns.ResumeRequest{})
		if err != nil || got.Paused || len(got.Stops) != 0 {
			t.Fatalf("resumed: %+v, %v", got, err)
		}
	}
	for action, want := range map[string]int{"campaign.paused": 1, "campaign.resumed": 1} {
		if n := number(t, b, `select count(*) from audit where workspace_id = $1 and action = $2`, b.Workspace, action); n != want {
			t.Errorf("%d times %s in the audit", n, action)
		}
	}
}

func TestPauseNeedsALaunch(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	_, err := pause(t, b, create(t, b, "Draft").ID)
	if e := wantCode(t, err, "campaign.state"); e.Params["actions"] != "edit, check, launch, delete" {
		t.Errorf("actions %v", e.Params)
	}
}

// TestPauseAndResumeInParallel: whatever the order, the states are legal, the
// events have no gap and the stop is open exactly when the last pause was later.
func TestPauseAndResumeInParallel(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c, run := launched(t, b, "Nervous")
	planAll(t, b, run)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := pause(t, b, c); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := resume(t, b, c, b.Actor, campaigns.ResumeRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := get(t, b, c)
	if got.State != campaigns.Running || len(got.Stops) > 1 || got.Paused != (len(got.Stops) == 1) {
		t.Errorf("got %+v", got)
	}
	if n := number(t, b, `select count(*) - max(sequence) from campaign_event where workspace_id = $1 and campaign_id = $2`, b.Workspace, c); n != 0 {
		t.Errorf("the event sequence has %d gaps", -n)
	}
	if n := number(t, b, `select count(*) from run where workspace_id = $1`, b.Workspace); n != 1 {
		t.Errorf("%d runs", n)
	}
}

func TestARulesStopIsNotClearedByResume(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c, _ := launched(t, b, "Held")
	for _, o := range []messages.Opening{
		{Scope: messages.ScopeNumber, ScopeID: b.Number, Reason: "quality_yellow", ByRule: true, Threshold: "GREEN", Measured: "YELLOW", By: "system:rules"},
		{Scope: messages.ScopeWABA, ScopeID: b.WABA, Reason: "payment", ByRule: true, By: "system:rules"},
		{Scope: messages.ScopeWorkspace, ScopeID: b.Workspace, Reason: "restored", ByRule: true, By: "system:admin"},
	} {
		b.In(t, func(tx pgx.Tx) error {
			_, err := messages.OpenStop(t.Context(), tx, b.Workspace, o)
			return err
		})
	}
	got, err := pause(t, b, c)
	if err != nil || !got.Paused || !got.Holding || len(got.Stops) != 4 {
		t.Fatalf("both at once: %+v, %v", got, err)
	}
	var onNumber, onWABA, onWorkspace id.Stop
	for _, s := range got.Stops {
		switch s.Scope {
		case messages.ScopeNumber:
			onNumber = s.ID
			if s.Threshold != "GREEN" || s.Measured != "YELLOW" || s.Next != "waits_for_review" || s.ClearedBy == "" {
				t.Errorf("the stop does not say why: %+v", s)
			}
		case messages.ScopeWABA:
			onWABA = s.ID
		case messages.ScopeWorkspace:
			onWorkspace = s.ID
		}
	}
	marketer := b.Actor
	marketer.Role = accounts.Marketer
	_, err = resume(t, b, c, marketer, campaigns.ResumeRequest{ClearHolds: true, Reason: "checked"})
	wantCode(t, err, "auth.role")
	_, err = resume(t, b, c, b.Actor, campaigns.ResumeRequest{Stops: []id.Stop{onNumber}})
	wantCode(t, err, "field.required")
	_, err = resume(t, b, c, marketer, campaigns.ResumeRequest{Stops: []id.Stop{onWABA}, Reason: "checked"})
	wantCode(t, err, "auth.role")
	_, err = resume(t, b, c, b.Actor, campaigns.ResumeRequest{Stops: []id.Stop{onWorkspace}, Reason: "checked"})
	wantCode(t, err, "stop.not_clearable")
	if got := get(t, b, c); len(got.Stops) != 4 {
		t.Fatalf("a refused resume cleared something: %+v", got.Stops)
	}
	if got, err = resume(t, b, c, marketer, campaigns.ResumeRequest{}); err != nil || got.Paused || !got.Holding {
		t.Fatalf("the pause alone: %+v, %v", got, err)
	}
	got, err = resume(t, b, c, b.Actor, campaigns.ResumeRequest{ClearHolds: true, Reason: "checked"})
	if err != nil || len(got.Stops) != 2 {
		t.Errorf("holds cleared: %+v, %v", got, err)
	}
	got, err = resume(t, b, c, b.Actor, campaigns.ResumeRequest{Stops: []id.Stop{onWABA}, Reason: "checked"})
	if err != nil || len(got.Stops) != 1 || got.Stops[0].ID != onWorkspace {
		t.Errorf("the account's stop, named: %+v, %v", got, err)
	}
	if why := text(t, b, `select detail->>'reason' from audit where workspace_id = $1 and detail ? 'reason'`, b.Workspace); why != "checked" {
		t.Errorf("the audit says %q", why)
	}
}

func TestStopIsForGood(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	c, run := launched(t, b, "Stopped")
	planAll(t, b, run)
	b.Do(t, `update message set state = 'sending', claim_token = gen_random_uuid() where run_id = $1 and ordinal = 2`, run)
	end := func() (campaigns.Campaign, error) {
		return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
			return campaigns.End(ctx, tx, b.Actor, c)
		})
	}
	for range 2 {
		if got, err := end(); err != nil || got.State != campaigns.Stopped {
			t.Fatalf("stopped: %+v, %v", got, err)
		}
	}
	if finish(t, b, run) {
		t.Error("settled with a message in flight")
	}
	if n := number(t, b, `select count(*) from message where run_id = $1 and reason = 'stopped'`, run); n != 2 {
		t.Errorf("%d messages suppressed", n)
	}
	b.Do(t, `update message set state = 'accepted' where run_id = $1 and ordinal = 2`, run)
	if !finish(t, b, run) {
		t.Error("not settled")
	}
	if n := number(t, b, `select (summary->>'accepted')::int from run where workspace_id = $1 and id = $2`, b.Workspace, run); n != 1 {
		t.Errorf("summary: %d accepted", n)
	}
	_, err := pause(t, b, c)
	wantCode(t, err, "campaign.state")
}
