package worker

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/queue"
	"bareed/sandbox"
	"bareed/templates"
)

// broadcast is the polled workspace as one that campaigns can be made in.
func (p *polled) broadcast(t *testing.T, people int) *fixture.Broadcast {
	t.Helper()
	b := &fixture.Broadcast{Pool: p.pool, Vault: p.worker.Vault, Workspace: p.Tenant.Workspace, Actor: p.Tenant.Actor,
		Number: p.Number.ID, Template: p.Template.ID, WABA: p.Number.WABA, Portfolio: p.Number.Portfolio}
	b.Audience = b.AddAudience(t, "Everybody")
	b.AddPeople(t, b.Audience, people)
	return b
}

// checked performs the check's task and reads what it found.
func (p *polled) checked(t *testing.T, b *fixture.Broadcast, c id.Campaign) check.Check {
	t.Helper()
	var k id.Check
	b.In(t, func(tx pgx.Tx) (err error) {
		k, err = campaigns.RequestCheck(t.Context(), tx, b.Actor, c)
		return err
	})
	if err := p.worker.checkCampaign(t.Context(), queue.CheckCampaign{Workspace: b.Workspace, Check: k}); err != nil {
		t.Fatal(err)
	}
	var found check.Check
	b.In(t, func(tx pgx.Tx) (err error) {
		found, err = check.Get(t.Context(), tx, b.Workspace, c, k)
		return err
	})
	return found
}

func (p *polled) launch(t *testing.T, b *fixture.Broadcast, c id.Campaign, q campaigns.LaunchRequest) (l campaigns.Launched, err error) {
	t.Helper()
	err = p.pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(t.Context(), tx, b.Actor, c, q)
		return err
	})
	return l, err
}

func codesOf(list []check.Warning) (all []string) {
	for _, w := range list {
		all = append(all, w.Code)
	}
	return all
}

// number changes how Meta sees the number.
func (p *polled) number(t *testing.T, change func(*sandbox.Number)) {
	t.Helper()
	c := p.Connection
	n := sandbox.Number{ID: c.PhoneNumberID, WABAID: c.WABAID, DisplayPhone: "+1 555-010-0101", VerifiedName: "Sample"}
	change(&n)
	if err := p.meta.Apply(sandbox.Seed{Numbers: []sandbox.Number{n}}); err != nil {
		t.Fatal(err)
	}
}

// TestPreflight: the check asks Meta itself; what is LIMITED warns, what is BLOCKED
// refuses the launch in Meta's own words and holds the number.
func TestPreflight(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	b := p.broadcast(t, 2)
	c := b.Campaign(t, "Preflight")
	k := p.checked(t, b, c.ID)
	if len(k.Warnings) != 0 || k.Eligible != 2 {
		t.Errorf("all is well: %+v", k)
	}
	if got := p.column(t, `select health->>'can_send' from number union all select health->>'can_send' from template`); !slices.Equal(got, []string{"AVAILABLE", "AVAILABLE"}) {
		t.Errorf("kept %v", got)
	}
	p.number(t, func(n *sandbox.Number) { n.Health = "LIMITED" })
	if k = p.checked(t, b, c.ID); !slices.Equal(codesOf(k.Warnings), []string{"campaign.warn_limited_unsaid"}) {
		t.Errorf("limited: %+v", k.Warnings)
	}
	p.number(t, func(n *sandbox.Number) { n.Health = "BLOCKED" })
	k = p.checked(t, b, c.ID)
	if got := codesOf(k.Warnings); !slices.Equal(got, []string{"campaign.warn_stop", "campaign.warn_blocked"}) {
		t.Errorf("blocked: %+v", k.Warnings)
	}
	_, err := p.launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	if e, ok := errs.As(err); !ok || e.Code != "campaign.blocked_by_meta" || e.Params["said"] != "scripted" || e.Params["codes"] != "133010" {
		t.Errorf("launch: %v", err)
	}
	b.Do(t, `update number set health_at = bareed_now() - interval '1 hour' where workspace_id = $1`, b.Workspace)
	if _, err := p.launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible}); err != nil {
		t.Errorf("an old answer refuses: %v", err)
	}
}

// TestFiringAsksMeta: the first planning of a run asks; what is blocked by then holds.
func TestFiringAsksMeta(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	b := p.broadcast(t, 2)
	c := b.Campaign(t, "Firing")
	k := p.checked(t, b, c.ID)
	l, err := p.launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible, At: time.Now().UTC().Add(5 * time.Minute).Format(time.RFC3339)})
	if err != nil {
		t.Fatal(err)
	}
	p.number(t, func(n *sandbox.Number) { n.Health = "BLOCKED" })
	if err := p.worker.planRun(t.Context(), queue.PlanRun{Workspace: b.Workspace, Run: l.RunID}); err != nil {
		t.Fatal(err)
	}
	if got := p.column(t, `select scope || ':' || reason from stop where cleared_at is null`); !slices.Equal(got, []string{"number:blocked_by_meta"}) {
		t.Errorf("stops %v", got)
	}
	calls := p.column(t, `select state || ' ' || planned::text from run`)
	if !slices.Equal(calls, []string{"planning 2"}) {
		t.Errorf("run %v", calls)
	}
}

// TestGuardThroughPolls: what a poll finds changed holds the campaigns that were
// approved with the old, in the words of the difference; category between schedule
// and tick, text and quality alike.
func TestGuardThroughPolls(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	b := p.broadcast(t, 2)
	c := b.Campaign(t, "Guarded")
	k := p.checked(t, b, c.ID)
	l, err := p.launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible, At: time.Now().UTC().Add(5 * time.Minute).Format(time.RFC3339)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.worker.planRun(t.Context(), queue.PlanRun{Workspace: b.Workspace, Run: l.RunID}); err != nil {
		t.Fatal(err)
	}
	held := func(when string, want ...string) {
		t.Helper()
		p.poll(t)
		got := p.column(t, `select scope || ': ' || reason || ': ' || regexp_replace(measured, '[0-9a-f]{8}', '#', 'g') from stop where cleared_at is null order by 1`)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	change := func(v sandbox.TemplateChange) {
		t.Helper()
		v.TemplateID, v.Silent = p.Template.MetaID, true
		if err := p.meta.SetTemplate(v); err != nil {
			t.Fatal(err)
		}
	}
	held("nothing changed")
	change(sandbox.TemplateChange{Category: "UTILITY"})
	held("another category", "campaign: template_changed: category MARKETING → UTILITY")
	offer := fixture.SpringOffer(p.Template.MetaID)
	err = p.meta.Apply(sandbox.Seed{Templates: []sandbox.Template{{ID: offer.ID, WABAID: p.Connection.WABAID, Name: offer.Name, Language: offer.Language,
		Quality: "GREEN", Category: "UTILITY", Components: []byte(strings.ReplaceAll(string(offer.Components), "spring is here", "spring is gone"))}}})
	if err != nil {
		t.Fatal(err)
	}
	held("another text too", "campaign: template_changed: content # → #, category MARKETING → UTILITY")
	change(sandbox.TemplateChange{Quality: "YELLOW"})
	held("worse quality holds the template", "campaign: template_changed: content # → #, category MARKETING → UTILITY", "template: quality_yellow: YELLOW")
}

// TestBudgetOfCalls: polls are counted, a refusal pauses them as long as Meta says,
// and nothing is asked meanwhile, by a check neither.
func TestBudgetOfCalls(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	b := p.broadcast(t, 1)
	p.poll(t)
	usage := func() (calls, refusals int, pause *time.Time) {
		t.Helper()
		err := p.pool.Engine().QueryRow(t.Context(), `select calls + before, refusals, pause_until from meta_usage where meta_waba_id = $1`, p.Connection.WABAID).
			Scan(&calls, &refusals, &pause)
		if err != nil {
			t.Fatal(err)
		}
		return calls, refusals, pause
	}
	if calls, refusals, pause := usage(); calls != 3 || refusals != 0 || pause != nil {
		t.Errorf("one poll: %d calls, %d refusals, pause %v", calls, refusals, pause)
	}
	sc := p.meta.Scenario()
	sc.ManagementPerHour = 1
	if err := p.meta.SetScenario(sc); err != nil {
		t.Fatal(err)
	}
	p.poll(t) // the one call permitted, and the next refused
	calls, refusals, pause := usage()
	if refusals != 1 || pause == nil || time.Until(*pause) < 50*time.Minute {
		t.Errorf("refused: %d calls, %d refusals, pause %v", calls, refusals, pause)
	}
	if got := p.column(t, `select sync_problem from waba`); !slices.Equal(got, []string{"throttled"}) {
		t.Errorf("problem %v", got)
	}
	p.poll(t)
	if k := p.checked(t, b, b.Campaign(t, "While paused").ID); k.State != "completed" {
		t.Errorf("the check is %s", k.State)
	}
	if again, _, _ := usage(); again != calls {
		t.Errorf("%d calls while nothing was to be asked", again-calls)
	}
	due := func() int {
		t.Helper()
		b.Do(t, `update waba set polled_at = null where workspace_id = $1`, b.Workspace)
		list, err := numbers.DuePolls(t.Context(), p.pool.Engine(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := due(); n != 0 {
		t.Errorf("%d polls due while paused", n)
	}
	if _, err := p.pool.Engine().Exec(t.Context(), `update meta_usage set pause_until = bareed_now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	if n := due(); n != 1 {
		t.Errorf("%d polls due after the pause", n)
	}
}

// TestAgreedTemplateIsRendered: what a person agreed to is what leaves, also from a
// worker that has read the run's template before.
func TestAgreedTemplateIsRendered(t *testing.T) {
	t.Parallel()
	run := id.New[id.Run]()
	var p prepared
	for _, body := range []string{"Hello {{1}}", "Bye {{1}}", "Bye {{1}}"} {
		raw, err := json.Marshal(templates.Template{Name: body, Language: "en", Components: json.RawMessage(`[{"type":"BODY","text":"` + body + `"}]`)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.of(messages.Claim{Message: id.Message{Run: run, Ordinal: 1}, Template: raw})
		if err != nil {
			t.Fatal(err)
		}
		m, err := got.Render(templates.Values{"body.1": "Layla"})
		if err != nil || m.Name != body {
			t.Errorf("%q is sent as %q: %v", body, m.Name, err)
		}
	}
	if len(p.by) != 1 {
		t.Errorf("%d templates kept of one run", len(p.by))
	}
}
