package campaigns_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/guard"
	"bareed/internal/id"
	"bareed/messages"
)

// TestTheFiguresAddUp puts a different number of messages into each state.
func TestTheFiguresAddUp(t *testing.T) {
	t.Parallel()
	states := messages.States()
	total := len(states) * (len(states) + 1) / 2
	b := newBroadcast(t, total)
	c, run := launched(t, b, "Figures")
	planAll(t, b, run)
	ordinal := 0
	for i, s := range states {
		for n := range i + 1 {
			ordinal++
			var reason *string
			if s == messages.Failed || s == messages.Suppressed {
				r := fmt.Sprintf("reason_%d", n%2)
				reason = &r
			}
			b.Do(t, `update message set state = $3, reason = $4 where run_id = $1 and ordinal = $2`, run, ordinal, s, reason)
		}
	}
	b.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, b.Workspace, run) })
	r := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Report, error) {
		return campaigns.GetReport(ctx, tx, b.Workspace, c)
	})
	of := map[messages.State]int64{}
	for i, s := range states {
		of[s] = int64(i + 1)
	}
	if !r.Balanced || r.Total != int64(total) || r.Ready != of[messages.Ready] || r.Sending != of[messages.Sending] ||
		r.Held != of[messages.Held] || r.Unknown != of[messages.Unknown] || r.Unconfirmed != of[messages.Unconfirmed] ||
		r.SuppressedTotal != of[messages.Suppressed] || r.FailedTotal != of[messages.Failed] || len(r.Failed) != 2 {
		t.Errorf("report %+v", r)
	}
	read := of[messages.Read] + of[messages.Played]
	delivered := read + of[messages.Delivered]
	sent := delivered + of[messages.Sent]
	if r.Read != read || r.Delivered != delivered || r.Sent != sent || r.Accepted != sent+of[messages.Accepted] {
		t.Errorf("accepted %d, sent %d, delivered %d, read %d", r.Accepted, r.Sent, r.Delivered, r.Read)
	}
	if r.Rates.Delivered == nil || *r.Rates.Delivered != float64(r.Delivered)/float64(r.Accepted) {
		t.Errorf("rates %+v", r.Rates)
	}
	recipientsOf(t, b.Workspace, c, func(f campaigns.RecipientFilter) []campaigns.Recipient {
		return must(t, b, func(ctx context.Context, tx pgx.Tx) ([]campaigns.Recipient, error) {
			return campaigns.Recipients(ctx, tx, b.Workspace, c, f)
		})
	}, of)
}

func recipientsOf(t *testing.T, _ id.Workspace, _ id.Campaign, list func(campaigns.RecipientFilter) []campaigns.Recipient, of map[messages.State]int64) {
	t.Helper()
	for s, n := range of {
		if got := list(campaigns.RecipientFilter{State: string(s), Limit: 500}); int64(len(got)) != n {
			t.Errorf("%d recipients %s, want %d", len(got), s, n)
		}
	}
	masked, whole := list(campaigns.RecipientFilter{Limit: 2}), list(campaigns.RecipientFilter{Limit: 1, Reveal: true})
	if len(masked) != 2 || masked[0].Address == whole[0].Address || whole[0].Address[:5] != "+9665" {
		t.Errorf("masked %+v, whole %+v", masked, whole)
	}
	if next := list(campaigns.RecipientFilter{Limit: 1, After: 2}); next[0].MessageID.Ordinal != 3 {
		t.Errorf("the next page begins with %s", next[0].MessageID)
	}
}

func TestReportBeforeLaunch(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	_, err := in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Report, error) {
		return campaigns.GetReport(ctx, tx, b.Workspace, create(t, b, "Draft").ID)
	})
	wantCode(t, err, "campaign.not_launched")
}

// TestFinishSteps follows one run to its end: each line changes messages and
// says where the run stands after Finish.
func TestFinishSteps(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	c, run := launched(t, b, "Steps")
	planAll(t, b, run)
	for _, step := range []struct {
		name, change string
		want         campaigns.RunState
		done         bool
	}{
		{"all ready", `state = 'ready' where run_id = $1`, campaigns.RunRunning, false},
		{"one in flight", `state = case ordinal when 1 then 'sending' else 'accepted' end where run_id = $1`, campaigns.RunRunning, false},
		{"one unknown", `state = 'unknown' where run_id = $1 and ordinal = 1`, campaigns.RunFinishing, false},
		{"still unknown", `updated_at = updated_at where run_id = $1`, campaigns.RunFinishing, false},
		{"ready again", `state = 'ready' where run_id = $1 and ordinal = 1`, campaigns.RunRunning, false},
		{"held", `state = 'held', held_at = bareed_now() where run_id = $1 and ordinal = 1`, campaigns.RunFinishing, false},
		{"still held", `updated_at = updated_at where run_id = $1`, campaigns.RunFinishing, false},
		{"held for a day", `held_at = bareed_now() - interval '25 hours' where run_id = $1 and ordinal = 1`, campaigns.RunCompleted, true},
	} {
		b.Do(t, `update message set `+step.change, run)
		done := finish(t, b, run)
		if got := runState(t, b, run); got != step.want || done != step.done {
			t.Fatalf("%s: %s, done %v", step.name, got, done)
		}
		if got := get(t, b, c).State; string(got) != string(step.want) {
			t.Fatalf("%s: the campaign is %s", step.name, got)
		}
	}
	if !finish(t, b, run) {
		t.Error("a settled run is not done")
	}
	events := must(t, b, func(ctx context.Context, tx pgx.Tx) ([]campaigns.Event, error) {
		return campaigns.Events(ctx, tx, b.Workspace, c, 0, 100)
	})
	var types []string
	for i, e := range events {
		if e.Sequence != int64(i+1) {
			t.Errorf("event %d has sequence %d", i, e.Sequence)
		}
		types = append(types, e.Type)
	}
	want := []string{"campaign.created", "campaign.check_requested", "campaign.checked", "campaign.launched", "campaign.planned", "campaign.started",
		"campaign.finishing", "campaign.running", "campaign.finishing", "campaign.completed"}
	if fmt.Sprint(types) != fmt.Sprint(want) {
		t.Errorf("events %v", types)
	}
}

// TestGoingOnWithAnotherTemplate: a run that had nothing left to send goes on under
// a hold when Meta changed its template's category meanwhile.
func TestGoingOnWithAnotherTemplate(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	c, run := launched(t, b, "Late")
	planAll(t, b, run)
	b.Do(t, `update message set state = case ordinal when 1 then 'unknown' else 'accepted' end where run_id = $1`, run)
	finish(t, b, run)
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1`, b.Workspace)
	b.Do(t, `update message set state = 'ready' where run_id = $1 and ordinal = 1`, run)
	finish(t, b, run)
	got := get(t, b, c)
	if got.State != campaigns.Running || len(got.Stops) != 1 || got.Stops[0].Reason != guard.Reason || got.Stops[0].Measured != "category MARKETING → UTILITY" {
		t.Errorf("it is %s with %+v", got.State, got.Stops)
	}
}

func TestNobodyLeftCompletesAtOnce(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	c, run := launched(t, b, "Gone")
	b.Do(t, `update permission set granted = false where workspace_id = $1`, b.Workspace)
	planAll(t, b, run)
	finish(t, b, run)
	if !finish(t, b, run) || get(t, b, c).State != campaigns.Completed {
		t.Errorf("the campaign is %s", get(t, b, c).State)
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c, run := launched(t, b, "Timeline")
	planAll(t, b, run)
	b.Do(t, `insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome, http_status, meta_code)
		values ($1, $2, 1, 1, gen_random_uuid(), 'refused_for_now', 400, 130429)`, b.Workspace, run)
	m := id.Message{Run: run, Ordinal: 1}
	got := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Timeline, error) {
		return campaigns.GetMessage(ctx, tx, b.Workspace, m, false)
	})
	if got.CampaignID != c || len(got.Attempts) != 1 || got.Attempts[0].MetaCode != 130429 || got.State != messages.Ready {
		t.Errorf("got %+v", got)
	}
	_, err := in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Timeline, error) {
		return campaigns.GetMessage(ctx, tx, b.Workspace, id.Message{Run: run, Ordinal: 2}, false)
	})
	wantCode(t, err, "not_found")
}
