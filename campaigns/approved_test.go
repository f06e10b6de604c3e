package campaigns_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/guard"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/templates"
)

const otherText = `[{"type": "BODY", "text": "Hello {{1}}, everything must go."}]`

// retext gives the template another content, as a poll writes it.
func retext(t testing.TB, b *fixture.Broadcast, components string) {
	t.Helper()
	b.Do(t, `update template set components = $2::jsonb, components_hash = $3 where workspace_id = $1`,
		b.Workspace, components, templates.Hash([]byte(components)))
}

func told(t testing.TB, b *fixture.Broadcast, what string) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error {
		return guard.Changed(t.Context(), tx, b.Workspace, []numbers.Change{numbers.OfTemplate(b.Template, what, "", "")})
	})
}

func clearHold(t testing.TB, b *fixture.Broadcast, c id.Campaign, stop id.Stop) (campaigns.Campaign, error) {
	t.Helper()
	return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Resume(ctx, tx, b.Actor, c, campaigns.ResumeRequest{Stops: []id.Stop{stop}, Reason: "read and agreed"})
	})
}

// TestLaunchNeedsTheCheckedTemplate: whatever changed since the check refuses the
// launch with the difference, and a new check is all it takes.
func TestLaunchNeedsTheCheckedTemplate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ sql, difference string }{
		"category": {`update template set category = 'UTILITY' where workspace_id = $1`, "category MARKETING → UTILITY"},
		"quality":  {`update template set quality = 'YELLOW' where workspace_id = $1`, "quality UNKNOWN → YELLOW"},
		"content":  {`update template set components = '[{"type":"BODY","text":"Bye {{1}}"}]', components_hash = '\x0102030405' where workspace_id = $1`, "→ 01020304"},
		"unread":   {`update template set components_hash = '' where workspace_id = $1`, "→ new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroadcast(t, 2)
			b.Do(t, `insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
				select workspace_id, contact_id, 'utility', granted, consent_id, since from permission where workspace_id = $1`, b.Workspace)
			c := create(t, b, "Guarded")
			k := b.Check(t, c.ID)
			if k.Template == nil || len(k.Template.Differences) != 0 || k.Outdated {
				t.Errorf("a fresh check: %+v, outdated %v", k.Template, k.Outdated)
			}
			b.Do(t, tt.sql, b.Workspace)
			_, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
			if e := wantCode(t, err, "campaign.template_changed"); !strings.Contains(e.Params["difference"].(string), tt.difference) {
				t.Errorf("told %q, want %q", e.Params["difference"], tt.difference)
			}
			if name == "unread" {
				return
			}
			k = b.Check(t, c.ID)
			if _, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible}); err != nil {
				t.Errorf("after a new check: %v", err)
			}
		})
	}
}

// TestFiringIsGuarded: a template that changed between schedule and tick holds the
// firing with the difference; a person who looked at it lets it go on, and the run
// then sends what was agreed to, to those who consented to its new category.
func TestFiringIsGuarded(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	c := create(t, b, "Scheduled")
	k := b.Check(t, c.ID)
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible, At: time.Now().UTC().Add(time.Hour).Format(time.RFC3339)})
	if err != nil || l.State != campaigns.Scheduled {
		t.Fatalf("%+v: %v", l, err)
	}
	planAll(t, b, l.RunID)
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1`, b.Workspace)
	b.Do(t, `update run set starts_at = bareed_now() - interval '1 second' where workspace_id = $1 and id = $2`, b.Workspace, l.RunID)
	due(t, b, l.RunID)
	due(t, b, l.RunID) // every tick asks again
	now := get(t, b, c.ID)
	if s := runState(t, b, l.RunID); s != campaigns.RunPlanning || len(now.Stops) != 1 {
		t.Fatalf("run %s, stops %+v", s, now.Stops)
	}
	hold := now.Stops[0]
	if hold.Reason != "template_changed" || hold.Scope != messages.ScopeCampaign || hold.Measured != "category MARKETING → UTILITY" ||
		hold.Next != "waits_for_review" || !now.Holding {
		t.Errorf("hold %+v", hold)
	}
	state := must(t, b, func(ctx context.Context, tx pgx.Tx) (guard.State, error) { return guard.Of(ctx, tx, b.Workspace, c.ID) })
	if len(state.Differences) != 1 || state.Approved.Category != "MARKETING" || state.Now.Category != "UTILITY" {
		t.Errorf("state %+v", state)
	}
	if _, err := clearHold(t, b, c.ID, hold.ID); err != nil {
		t.Fatal(err)
	}
	due(t, b, l.RunID)
	if s := runState(t, b, l.RunID); s != campaigns.RunRunning {
		t.Errorf("run %s, want running", s)
	}
	if p := text(t, b, `select purpose from run where workspace_id = $1 and id = $2`, b.Workspace, l.RunID); p != "utility" {
		t.Errorf("the claim asks for consent to %s", p)
	}
	if n := number(t, b, `select count(*) from campaign_event where workspace_id = $1 and type = 'campaign.template_accepted'`, b.Workspace); n != 1 {
		t.Errorf("%d acceptances in the log", n)
	}
}

// TestRunningIsGuarded: a running campaign is held in the transaction that applies
// the change, the hold follows what Meta does next, and only what was shown can be
// accepted.
func TestRunningIsGuarded(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	b.Do(t, `update template set components_hash = $2 where workspace_id = $1`, b.Workspace, templates.Hash([]byte(`[]`)))
	campaign, run := launched(t, b, "Running")
	planAll(t, b, run)
	other, otherRun := launched(t, b, "Of another template")
	b.Do(t, `update run set template_id = $3 where workspace_id = $1 and id = $2`, b.Workspace, otherRun, b.AddTemplate(t, "MARKETING", "APPROVED", "Hi {{1}}"))

	b.Do(t, `update template set components_hash = '' where workspace_id = $1 and id = $2`, b.Workspace, b.Template)
	told(t, b, numbers.Components)
	first := get(t, b, campaign).Stops
	if len(first) != 1 || !strings.HasSuffix(first[0].Measured, "→ new") {
		t.Fatalf("the webhook said new: %+v", first)
	}
	if _, err := clearHold(t, b, campaign, first[0].ID); !errs.Is(err, "template.unread") {
		t.Errorf("accepting what is not read: %v", err)
	}
	retext(t, b, otherText)
	told(t, b, numbers.Components)
	second := get(t, b, campaign).Stops
	if len(second) != 1 || second[0].ID == first[0].ID {
		t.Fatalf("the poll read it: %+v", second)
	}
	if now, err := clearHold(t, b, campaign, first[0].ID); err != nil || len(now.Stops) != 1 {
		t.Errorf("clearing a hold that was replaced: %+v %v", now.Stops, err)
	}
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1 and id = $2`, b.Workspace, b.Template)
	if _, err := clearHold(t, b, campaign, second[0].ID); !errs.Is(err, "template.changed_again") {
		t.Errorf("accepting what was not shown: %v", err)
	}
	b.Do(t, `update template set category = 'MARKETING' where workspace_id = $1 and id = $2`, b.Workspace, b.Template)
	if now, err := clearHold(t, b, campaign, second[0].ID); err != nil || len(now.Stops) != 0 {
		t.Errorf("accepting what was shown: %+v %v", now.Stops, err)
	}
	told(t, b, numbers.Components)
	if s := get(t, b, campaign).Stops; len(s) != 0 {
		t.Errorf("what was accepted holds again: %+v", s)
	}
	if n := number(t, b, `select count(*) from run where workspace_id = $1 and id = $2 and template->'Components'->0->>'text' like '%must go%'`, b.Workspace, run); n != 1 {
		t.Error("the run still has the old content")
	}
	if s := get(t, b, other).Stops; len(s) != 0 {
		t.Errorf("a campaign of another template is held: %+v", s)
	}
}

// TestOtherParameters: messages are filled already; a template that takes other
// variables needs a campaign of its own.
func TestOtherParameters(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	campaign, run := launched(t, b, "Refitted")
	planAll(t, b, run)
	retext(t, b, `[{"type": "BODY", "text": "Hello {{1}} and {{2}}."}]`)
	told(t, b, numbers.Components)
	stops := get(t, b, campaign).Stops
	if len(stops) != 1 {
		t.Fatalf("stops %+v", stops)
	}
	if _, err := clearHold(t, b, campaign, stops[0].ID); !errs.Is(err, "template.other_parameters") {
		t.Errorf("got %v", err)
	}
}

// TestBackAsApproved: what went back to what was approved is cleared by a person
// all the same, and nothing is accepted anew.
func TestBackAsApproved(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	campaign, run := launched(t, b, "There and back")
	planAll(t, b, run)
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1`, b.Workspace)
	told(t, b, numbers.Category)
	b.Do(t, `update template set category = 'MARKETING' where workspace_id = $1`, b.Workspace)
	told(t, b, numbers.Category)
	stops := get(t, b, campaign).Stops
	if len(stops) != 1 {
		t.Fatalf("stops %+v", stops)
	}
	if now, err := clearHold(t, b, campaign, stops[0].ID); err != nil || len(now.Stops) != 0 {
		t.Errorf("%+v %v", now.Stops, err)
	}
	if p := text(t, b, `select purpose from run where workspace_id = $1 and id = $2`, b.Workspace, run); p != "marketing" {
		t.Errorf("purpose %s", p)
	}
}

// TestDoubtfulNumber: marketing on a number rated medium or low needs a word.
func TestDoubtfulNumber(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := create(t, b, "Doubtful")
	k := b.Check(t, c.ID)
	b.Do(t, `update number set quality = 'YELLOW' where workspace_id = $1`, b.Workspace)
	_, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	wantCode(t, err, "campaign.quality_unconfirmed")
	if _, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible, AcceptQuality: true}); err != nil {
		t.Error(err)
	}
}
