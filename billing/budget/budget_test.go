package budget_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/billing/budget"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// purse is a workspace with people in Saudi Arabia and a card of 0.90 XTS for
// each message to them.
type purse struct {
	*fixture.Broadcast
	t *testing.T
}

func newPurse(t *testing.T, people int) *purse {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	b.AddPeople(t, b.Audience, people)
	return &purse{b, t}
}

func xts(micros int64) *billing.Money { return &billing.Money{Micros: micros, Currency: "XTS"} }

func (p *purse) try(do func(ctx context.Context, tx pgx.Tx) error) error {
	return p.Pool.InWorkspace(p.t.Context(), p.Workspace, func(tx pgx.Tx) error { return do(p.t.Context(), tx) })
}

func (p *purse) must(do func(ctx context.Context, tx pgx.Tx) error) {
	p.t.Helper()
	if err := p.try(do); err != nil {
		p.t.Fatal(err)
	}
}

func (p *purse) putMonth(a accounts.Actor, amount *billing.Money) error {
	return p.try(func(ctx context.Context, tx pgx.Tx) error {
		was, err := budget.GetMonth(ctx, tx, p.Workspace)
		if err != nil {
			return err
		}
		return budget.PutMonth(ctx, tx, a, was.Budget, amount)
	})
}

func (p *purse) putCampaign(a accounts.Actor, c id.Campaign, amount *billing.Money) error {
	return p.try(func(ctx context.Context, tx pgx.Tx) error {
		was, err := budget.GetCampaign(ctx, tx, p.Workspace, c)
		if err != nil {
			return err
		}
		_, err = budget.PutCampaign(ctx, tx, a, was, amount)
		return err
	})
}

func (p *purse) month() (m budget.Month) {
	p.t.Helper()
	p.must(func(ctx context.Context, tx pgx.Tx) (err error) {
		m, err = budget.GetMonth(ctx, tx, p.Workspace)
		return err
	})
	return m
}

// launch launches a checked campaign as api and web do.
func (p *purse) launch(c id.Campaign, expected int64) (l campaigns.Launched, err error) {
	err = p.try(func(ctx context.Context, tx pgx.Tx) (err error) {
		if l, err = campaigns.Launch(ctx, tx, p.Actor, c, campaigns.LaunchRequest{Expected: expected}); err != nil {
			return err
		}
		if err = estimate.Fix(ctx, tx, p.Workspace, l.RunID); err != nil {
			return err
		}
		return budget.AtLaunch(ctx, tx, p.Actor, l.RunID)
	})
	return l, err
}

// begin plans a run and lets it begin as the worker does.
func (p *purse) begin(run id.Run) {
	p.t.Helper()
	box, err := p.Vault.Box(p.t.Context(), p.Workspace)
	if err != nil {
		p.t.Fatal(err)
	}
	for at := (plan.Progress{}); !at.Done; {
		p.must(func(ctx context.Context, tx pgx.Tx) (err error) {
			at, err = plan.Next(ctx, tx, p.Vault, box, p.Workspace, run)
			return err
		})
		p.must(func(ctx context.Context, tx pgx.Tx) error {
			if err := campaigns.Due(ctx, tx, p.Workspace, run); err != nil {
				return err
			}
			return budget.Begin(ctx, tx, p.Workspace, run)
		})
	}
}

// tick counts the runs and looks, as the leader does.
func (p *purse) tick(runs ...id.Run) {
	p.t.Helper()
	p.must(func(ctx context.Context, tx pgx.Tx) error {
		for _, run := range runs {
			if err := charges.Count(ctx, tx, p.Workspace, run); err != nil {
				return err
			}
		}
		return budget.Tick(ctx, tx, p.Workspace)
	})
}

// reach is how far a run may be fed; -1 when a stop holds it.
func (p *purse) reach(run id.Run) int {
	p.t.Helper()
	n := -1
	p.must(func(ctx context.Context, tx pgx.Tx) error {
		b, open, err := messages.ReadBacklog(ctx, tx, p.Workspace, run)
		if open {
			n = int(b.Planned)
		}
		return err
	})
	return n
}

// send brings everybody from ordinal a to b to a state, handed over.
func (p *purse) send(run id.Run, a, b int, state string) {
	p.t.Helper()
	p.Do(p.t, `update message set state = $4, attempt = 1, claim_token = gen_random_uuid(), claimed_at = bareed_now(), accepted_at = bareed_now(),
		delivered_at = case when $4 = 'delivered' then bareed_now() end,
		pricing = case when $4 = 'delivered' then '{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}'::jsonb end,
		reason = case when $4 = 'failed' then 'meta_131026' end
		where run_id = $1 and ordinal between $2 and $3`, run, a, b, state)
	p.Do(p.t, `update run set fed = greatest(fed, $3) where workspace_id = $1 and id = $2`, p.Workspace, run, b)
}

func (p *purse) stops(run id.Run) (reasons []string) {
	p.t.Helper()
	p.must(func(ctx context.Context, tx pgx.Tx) error {
		list, err := messages.OpenStops(ctx, tx, p.Workspace, run)
		for _, s := range list {
			reasons = append(reasons, s.Reason+" "+s.Threshold+" "+s.Measured)
		}
		return err
	})
	return reasons
}

func (p *purse) wants(when string, run id.Run, reach int, stops ...string) {
	p.t.Helper()
	got := p.stops(run)
	if n := p.reach(run); n != reach || len(got) != len(stops) || len(got) > 0 && got[0] != stops[0] {
		p.t.Errorf("%s: up to %d, %v; want up to %d, %v", when, n, got, reach, stops)
	}
}

// A campaign whose budget was lowered after the launch goes as far as it pays and
// not a message further, is held, and goes on when a person raises it.
func TestACampaignStopsAtItsBudget(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 10)
	c := p.Campaign(t, "Spring")
	l, err := p.launch(c.ID, p.Check(t, c.ID).Eligible)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.putCampaign(p.Actor, c.ID, xts(2_800_000)); err != nil { // three at 0.90 are 2.70
		t.Fatal(err)
	}
	p.begin(l.RunID)
	p.wants("before the first look", l.RunID, 0)
	p.tick(l.RunID)
	p.wants("three are paid for", l.RunID, 3)
	p.send(l.RunID, 1, 2, "accepted")
	p.tick(l.RunID)
	p.wants("the third has not left", l.RunID, 3)
	p.send(l.RunID, 3, 3, "accepted")
	p.tick(l.RunID)
	p.wants("all three have", l.RunID, -1, "budget_campaign 2.80 XTS 2.70 XTS")
	p.send(l.RunID, 1, 1, "failed")
	p.tick(l.RunID)
	p.wants("one fails meanwhile", l.RunID, -1, "budget_campaign 2.80 XTS 2.70 XTS")

	got, err := get(p, c.ID)
	if err != nil || len(got.Stops) != 1 || got.Stops[0].Next != "waits_for_budget" || got.Stops[0].ClearedBy != "budget" {
		t.Errorf("%+v, %v", got.Stops, err)
	}
	resume := func(q campaigns.ResumeRequest) error {
		return p.try(func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Resume(ctx, tx, p.Actor, c.ID, q)
			return err
		})
	}
	if err := resume(campaigns.ResumeRequest{ClearHolds: true, Reason: "everything"}); err != nil {
		t.Error(err)
	}
	if err := resume(campaigns.ResumeRequest{Stops: []id.Stop{got.Stops[0].ID}, Reason: "this one"}); !errs.Is(err, "budget.holds") {
		t.Errorf("resumed past the budget: %v", err)
	}
	p.wants("nobody but the budget lets it go on", l.RunID, -1, "budget_campaign 2.80 XTS 2.70 XTS")
	if err := p.putCampaign(p.Actor, c.ID, xts(4_600_000)); err != nil {
		t.Fatal(err)
	}
	p.tick(l.RunID)
	p.wants("raised: two on their way, and room for three", l.RunID, 6)
	p.send(l.RunID, 2, 6, "delivered")
	p.tick(l.RunID)
	p.wants("five delivered for 4.50", l.RunID, -1, "budget_campaign 4.60 XTS 4.50 XTS")
	if err := p.putCampaign(p.Actor, c.ID, nil); err != nil {
		t.Fatal(err)
	}
	p.tick(l.RunID)
	p.wants("taken away", l.RunID, 10)
}

func get(p *purse, c id.Campaign) (got campaigns.Campaign, err error) {
	err = p.try(func(ctx context.Context, tx pgx.Tx) (err error) {
		got, err = campaigns.Get(ctx, tx, p.Workspace, c)
		return err
	})
	return got, err
}

// A budget that meets a run under way counts who was handed over before it.
func TestABudgetMeetsARunUnderWay(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 10)
	c := p.Campaign(t, "Spring")
	l, err := p.launch(c.ID, p.Check(t, c.ID).Eligible)
	if err != nil {
		t.Fatal(err)
	}
	p.begin(l.RunID)
	p.send(l.RunID, 1, 4, "delivered")
	p.tick(l.RunID)
	p.wants("without a budget", l.RunID, 10)
	if err := p.putMonth(p.Actor, xts(5_400_000)); err != nil {
		t.Fatal(err)
	}
	p.wants("at once no further than it was", l.RunID, 4)
	p.tick(l.RunID)
	p.wants("3.60 of 5.40 are spent", l.RunID, 6)
	p.send(l.RunID, 5, 6, "accepted")
	p.tick(l.RunID)
	p.wants("the month is used up", l.RunID, -1, "budget_month 5.40 XTS 5.40 XTS")
	if m := p.month(); m.Spent.Micros != 3_600_000 || m.Promised.Micros != 5_400_000 || m.Left.Micros != 0 {
		t.Errorf("spent %v, promised %v, left %v", m.Spent, m.Promised, m.Left)
	}
	got, err := get(p, c.ID)
	if err != nil || len(got.Stops) != 1 || got.Stops[0].Until == nil || got.Stops[0].Until.Day() > 2 && got.Stops[0].Until.Day() < 28 {
		t.Errorf("the hold does not end with the month: %+v, %v", got.Stops, err)
	}
	pgtest.MoveClock(t, p.Pool, 32*24*time.Hour)
	p.tick(l.RunID)
	if n := p.reach(l.RunID); n < 6 {
		t.Errorf("in the next month it goes up to %d", n)
	}
}

// Two runs share what the month has left; neither is promised what the other has.
func TestTwoRunsShareTheMonth(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 4)
	first, second := p.Campaign(t, "First"), p.Campaign(t, "Second")
	var runs []id.Run
	for _, c := range []campaigns.Campaign{first, second} {
		l, err := p.launch(c.ID, p.Check(t, c.ID).Eligible)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, l.RunID)
	}
	if err := p.putMonth(p.Actor, xts(5_000_000)); err != nil { // five at 0.90
		t.Fatal(err)
	}
	for _, run := range runs {
		p.begin(run)
	}
	p.tick(runs...)
	if a, b := p.reach(runs[0]), p.reach(runs[1]); a != 4 || b != 1 {
		t.Errorf("up to %d and %d", a, b)
	}
}

// What is counted as delivered while the leader looks is not left out of the month.
func TestACountBesideTheLook(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 4)
	var runs []id.Run
	for _, name := range []string{"First", "Second"} {
		c := p.Campaign(t, name)
		l, err := p.launch(c.ID, p.Check(t, c.ID).Eligible)
		if err != nil {
			t.Fatal(err)
		}
		p.begin(l.RunID)
		runs = append(runs, l.RunID)
	}
	p.send(runs[1], 1, 4, "accepted")
	if err := p.putMonth(p.Actor, xts(4_500_000)); err != nil { // five at 0.90, four of them on their way
		t.Fatal(err)
	}
	owner := pgtest.Owner(t, p.Pool)
	for _, sql := range []string{`delete from run_estimate where run_id = $1`, `begin`, `select from run where id = $1 for update`} {
		args := []any{runs[0]}
		if sql == "begin" {
			args = nil
		}
		if _, err := owner.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	looked := make(chan error, 1)
	go func() {
		looked <- p.try(func(ctx context.Context, tx pgx.Tx) error { return budget.Tick(ctx, tx, p.Workspace) })
	}()
	const waits = `select exists (select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted)`
	for waiting, end := false, time.Now().Add(30*time.Second); !waiting; { // for the first run's row, to keep its estimate
		if err := owner.QueryRow(t.Context(), waits).Scan(&waiting); err != nil || time.Now().After(end) {
			t.Fatalf("it does not wait for the run: %v", err)
		}
	}
	p.send(runs[1], 1, 4, "delivered")
	p.must(func(ctx context.Context, tx pgx.Tx) error { return charges.Count(ctx, tx, p.Workspace, runs[1]) })
	if _, err := owner.Exec(t.Context(), `commit`); err != nil {
		t.Fatal(err)
	}
	if err := <-looked; err != nil {
		t.Fatal(err)
	}
	p.wants("3.60 of 4.50 are spent", runs[0], 1)
}

// A launch above a budget is refused with what to do, and leaves nothing behind.
func TestALaunchAboveABudgetIsRefused(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 10) // 9.00 XTS
	c := p.Campaign(t, "Spring")
	k := p.Check(t, c.ID)
	if err := p.putCampaign(p.Actor, c.ID, xts(8_999_999)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.launch(c.ID, k.Eligible); !errs.Is(err, "budget.over_campaign") {
		t.Fatalf("above the campaign's: %v", err)
	}
	if got, err := get(p, c.ID); err != nil || got.State != campaigns.Draft {
		t.Errorf("the refused campaign is %s, %v", got.State, err)
	}
	if err := p.putCampaign(p.Actor, c.ID, &billing.Money{Micros: 100_000_000, Currency: "SAR"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.launch(c.ID, k.Eligible); !errs.Is(err, "budget.currency") {
		t.Errorf("in another currency: %v", err)
	}
	if err := p.putCampaign(p.Actor, c.ID, xts(9_000_000)); err != nil {
		t.Fatal(err)
	}
	if err := p.putMonth(p.Actor, xts(17_000_000)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.launch(c.ID, k.Eligible); err != nil {
		t.Fatalf("exactly the budget: %v", err)
	}
	if _, err := p.launch(c.ID, k.Eligible); err != nil {
		t.Errorf("launched again: %v", err)
	}
	other := p.Campaign(t, "Summer")
	k = p.Check(t, other.ID)
	if _, err := p.launch(other.ID, k.Eligible); !errs.Is(err, "budget.over_month") {
		t.Errorf("9.00 are promised, 8.00 are left: %v", err)
	}
	var v budget.Verdict
	p.must(func(ctx context.Context, tx pgx.Tx) error {
		e, err := estimate.OfCheck(ctx, tx, p.Workspace, other.ID, k.ID)
		if err == nil {
			v, err = budget.OfEstimate(ctx, tx, p.Workspace, e)
		}
		return err
	})
	if len(v.Remarks) != 1 || v.Remarks[0].Code != "budget.over_month" || v.Remarks[0].Params["left"] != "8.00 XTS" {
		t.Errorf("the check says %+v", v.Remarks)
	}
}

// Without a price nothing is guessed: it is said, and nobody is held.
func TestWithoutAPriceABudgetOnlyWarns(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 2)
	p.Do(t, `update identity set country = 'FR' where workspace_id = $1`, p.Workspace)
	if err := p.putMonth(p.Actor, xts(1)); err != nil {
		t.Fatal(err)
	}
	c := p.Campaign(t, "Paris")
	k := p.Check(t, c.ID)
	p.must(func(ctx context.Context, tx pgx.Tx) error {
		e, err := estimate.OfCheck(ctx, tx, p.Workspace, c.ID, k.ID)
		if err != nil {
			return err
		}
		v, err := budget.OfEstimate(ctx, tx, p.Workspace, e)
		if len(v.Remarks) != 1 || v.Remarks[0].Code != "budget.no_price" || v.Remarks[0].Refuses {
			t.Errorf("%+v", v.Remarks)
		}
		return err
	})
	l, err := p.launch(c.ID, k.Eligible)
	if err != nil {
		t.Fatal(err)
	}
	p.begin(l.RunID)
	p.tick(l.RunID)
	p.wants("unpriced", l.RunID, 2)
}

// Who may set what, and another workspace's budget is nobody's business.
func TestWhoSetsBudgets(t *testing.T) {
	t.Parallel()
	p := newPurse(t, 1)
	c := p.Campaign(t, "Spring")
	marketer, viewer := p.Actor, p.Actor
	marketer.Role, viewer.Role = accounts.Marketer, accounts.Viewer
	if err := p.putMonth(marketer, xts(1)); !errs.Is(err, "auth.role") {
		t.Errorf("a marketer sets the month's: %v", err)
	}
	if err := p.putCampaign(viewer, c.ID, xts(1)); !errs.Is(err, "auth.role") {
		t.Errorf("a viewer sets a campaign's: %v", err)
	}
	if err := p.putCampaign(marketer, c.ID, xts(9_000_000)); err != nil {
		t.Errorf("a marketer sets a draft's: %v", err)
	}
	for _, bad := range []*billing.Money{xts(0), xts(-5), {Micros: 1, Currency: "xts"}, {Micros: 1}} {
		if err := p.putMonth(p.Actor, bad); !errs.Is(err, "budget.amount") && !errs.Is(err, "ratecard.currency") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := p.launch(c.ID, p.Check(t, c.ID).Eligible); err != nil {
		t.Fatal(err)
	}
	if err := p.putCampaign(marketer, c.ID, xts(99_000_000)); !errs.Is(err, "auth.role") {
		t.Errorf("a marketer raises that of a launched one: %v", err)
	}
	err := p.try(func(ctx context.Context, tx pgx.Tx) error {
		return budget.PutMonth(ctx, tx, p.Actor, budget.Budget{Version: 7}, xts(5))
	})
	if !errs.Is(err, "version.stale") {
		t.Errorf("an old version: %v", err)
	}
	if err := p.putMonth(p.Actor, xts(5)); err != nil {
		t.Fatal(err)
	}
	other := &purse{fixture.NewBroadcast(t, p.Pool), t}
	if m := other.month(); m.Amount != nil {
		t.Errorf("another workspace has %v", m.Amount)
	}
	if err := other.putCampaign(other.Actor, c.ID, xts(1)); !errs.Is(err, "not_found") {
		t.Errorf("another's campaign: %v", err)
	}
	var n int
	p.must(func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from audit where workspace_id = $1 and action = 'budget.changed'`, p.Workspace).Scan(&n)
	})
	if n != 2 {
		t.Errorf("the audit has %d changes, want 2", n)
	}
}
