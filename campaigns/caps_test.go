package campaigns_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/caps"
	"bareed/campaigns/check"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// keep sets the workspace's sending rules.
func keep(t *testing.T, b *fixture.Broadcast, s caps.SendingSettings) caps.SendingRules {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (caps.SendingRules, error) {
		was, err := caps.Read(ctx, tx, b.Workspace, nil)
		if err != nil {
			return was, err
		}
		return caps.Put(ctx, tx, b.Actor, was, s)
	})
}

// wants compares how many a check finds eligible and over the frequency rule.
func wants(t *testing.T, when string, k check.Check, eligible, over int64) {
	t.Helper()
	if k.Eligible != eligible || k.Suppressed["frequency_cap"] != over {
		t.Errorf("%s: %d eligible, %v; want %d and %d over the rule", when, k.Eligible, k.Suppressed, eligible, over)
	}
}

func TestFrequencyOverCampaigns(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 6)
	if r := keep(t, b, caps.SendingSettings{Frequency: []caps.Frequency{{Most: 1, Days: 7}}}); r.CountedFrom == nil || r.Version != 1 {
		t.Errorf("%+v", r)
	}
	_, first := launched(t, b, "First")
	planAll(t, b, first)
	second := create(t, b, "Second")
	wants(t, "all wait for the first", b.Check(t, second.ID), 0, 6)
	if _, err := launch(t, b, second.ID, campaigns.LaunchRequest{}); !errs.Is(err, "campaign.no_recipients") {
		t.Errorf("launched to nobody: %v", err)
	}

	b.Do(t, `update message set state = 'failed', reason = 'meta_131026', claimed_at = bareed_now() where run_id = $1 and ordinal = 1`, first)
	b.Do(t, `update message set state = 'suppressed', reason = 'stopped' where run_id = $1 and ordinal = 2`, first)
	b.Do(t, `update message set state = 'delivered', claimed_at = bareed_now() where run_id = $1 and ordinal in (3, 4)`, first)
	b.Do(t, `update message set state = 'unknown', claimed_at = bareed_now() where run_id = $1 and ordinal = 5`, first)
	wants(t, "who got nothing has the turn again", b.Check(t, second.ID), 2, 4)

	pgtest.MoveClock(t, b.Pool, 6*24*time.Hour)
	wants(t, "six days later", b.Check(t, second.ID), 2, 4)
	pgtest.MoveClock(t, b.Pool, 7*24*time.Hour+time.Minute)
	k := b.Check(t, second.ID)
	wants(t, "after seven days; the sixth still waits", k, 5, 1)

	l, err := launch(t, b, second.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	if n := number(t, b, `select count(*) from message where run_id = $1 and state = 'suppressed' and reason = 'frequency_cap'`, l.RunID); n != 1 {
		t.Errorf("%d are over the rule in the plan", n)
	}
	if n := number(t, b, `select count(*) from frequency_turn where workspace_id = $1 and run_id = $2`, b.Workspace, l.RunID); n != 5 {
		t.Errorf("%d turns were taken", n)
	}
	if r := keep(t, b, caps.SendingSettings{}); r.CountedFrom != nil {
		t.Error("turns are kept without a rule")
	}
	wants(t, "without the rule", b.Check(t, create(t, b, "Third").ID), 6, 0)
}

func TestOnlyMarketingIsCounted(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	b.Do(t, `insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
		select workspace_id, contact_id, 'utility', true, gen_random_uuid(), bareed_now() from permission where workspace_id = $1`, b.Workspace)
	keep(t, b, caps.SendingSettings{Frequency: []caps.Frequency{{Most: 1, Days: 30}}})
	d := definition(b, "Orders")
	d.TemplateID = b.AddTemplate(t, "UTILITY", "APPROVED", "Hello {{1}}, your order left.")
	orders := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, d)
	})
	l, err := launch(t, b, orders.ID, campaigns.LaunchRequest{Expected: b.Check(t, orders.ID).Eligible})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	_, run := launched(t, b, "Offer")
	planAll(t, b, run)
	if n := number(t, b, `select count(*) from message where run_id = $1 and state = 'ready'`, run); n != 3 {
		t.Errorf("%d of 3 get the offer after the order", n)
	}
	d.Name = "More orders"
	more := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, d)
	})
	wants(t, "utility is not held back", b.Check(t, more.ID), 3, 0)
}

// Two campaigns to the same people were checked while neither had sent anything.
// However their chunks are planned together, nobody gets both.
func TestTwoCampaignsPlannedTogether(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2*plan.Size+100)
	keep(t, b, caps.SendingSettings{Frequency: []caps.Frequency{{Most: 1, Days: 1}}})
	_, one := launched(t, b, "One")
	_, other := launched(t, b, "Other")
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	var together sync.WaitGroup
	ended := make(chan error, 2)
	for _, run := range []id.Run{one, other} {
		together.Go(func() {
			var at plan.Progress
			var err error
			for !at.Done && err == nil {
				err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
					at, err = plan.Next(t.Context(), tx, b.Vault, box, b.Workspace, run)
					return err
				})
			}
			ended <- err
		})
	}
	together.Wait()
	for range 2 {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	const all = 2*plan.Size + 100
	if n := number(t, b, `select count(*) from message where workspace_id = $1 and state = 'ready'`, b.Workspace); n != all {
		t.Errorf("%d messages to %d people", n, all)
	}
	if n := number(t, b, `select count(*) from (select contact_id from message where workspace_id = $1 and state = 'ready' group by contact_id having count(*) > 1) x`, b.Workspace); n != 0 {
		t.Errorf("%d people get both", n)
	}
}

// A campaign passes the rule by a role that may and with a reason, which the
// audit keeps; a draft's check no longer counts; the next campaigns count it.
func TestACampaignPassesTheFrequencyRule(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	keep(t, b, caps.SendingSettings{Frequency: []caps.Frequency{{Most: 1, Days: 7}}})
	_, first := launched(t, b, "First")
	planAll(t, b, first)
	recall := create(t, b, "Recall")
	wants(t, "before", b.Check(t, recall.ID), 0, 3)
	set := func(a accounts.Actor, pass bool, reason string) error {
		return b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) error {
			_, err := caps.SetPass(t.Context(), tx, a, recall.ID, pass, reason)
			return err
		})
	}
	marketer := b.Actor
	marketer.Role = accounts.Marketer
	const reason = "everybody must hear of the recall"
	if err := set(marketer, true, reason); !errs.Is(err, "auth.role") {
		t.Errorf("a marketer: %v", err)
	}
	for _, short := range []string{"", "   urgent   "} {
		if err := set(b.Actor, true, short); !errs.Is(err, "caps.reason") {
			t.Errorf("%q: %v", short, err)
		}
	}
	if err := set(b.Actor, true, reason); err != nil {
		t.Fatal(err)
	}
	k := must(t, b, func(ctx context.Context, tx pgx.Tx) (check.Check, error) {
		return check.Get(ctx, tx, b.Workspace, recall.ID, id.Check{})
	})
	if !k.Outdated {
		t.Error("the check by the other rule still counts")
	}
	if n := number(t, b, `select count(*) from audit where workspace_id = $1 and action = 'campaign.frequency_pass' and detail->>'reason' = $2`, b.Workspace, reason); n != 1 {
		t.Errorf("the audit has it %d times", n)
	}
	k = b.Check(t, recall.ID)
	wants(t, "passing", k, 3, 0)
	l, err := launch(t, b, recall.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	if n := number(t, b, `select count(*) from frequency_turn where workspace_id = $1 and run_id = $2`, b.Workspace, l.RunID); n != 3 {
		t.Errorf("%d turns of the campaign that passes", n)
	}
	if err := set(b.Actor, false, ""); err != nil {
		t.Errorf("take the leave away: %v", err)
	}
	must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.End(ctx, tx, b.Actor, recall.ID)
	})
	if err := set(b.Actor, true, reason); !errs.Is(err, "campaign.state") {
		t.Errorf("of a campaign that is over: %v", err)
	}
}

// A campaign that is checked for a later time is judged by that time.
func TestCapsAreJudgedByTheTimeOfSending(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	people := b.AddPeople(t, b.Audience, 2)
	cool(t, b, people[0], 30*time.Hour)
	now := create(t, b, "Now")
	if k := b.Check(t, now.ID); k.Suppressed["cooling_off"] != 1 {
		t.Errorf("now: %v", k.Suppressed)
	}
	d := definition(b, "In two days")
	d.SendAt = time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	later := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, d)
	})
	if k := b.Check(t, later.ID); k.Eligible != 2 {
		t.Errorf("in two days: %v", k.Suppressed)
	}
}

// Rules and turns of one workspace are nothing to another, and who was faster wins.
func TestSendingRulesAreTheWorkspacesOwn(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	a, other := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	keep(t, a, caps.SendingSettings{Frequency: []caps.Frequency{{Most: 1, Days: 7}}, BlockedCountries: []string{"SA"}})
	a.AddPeople(t, a.Audience, 1)
	other.AddPeople(t, other.Audience, 1)
	if k := a.Check(t, create(t, a, "Ours").ID); k.Suppressed["country_blocked"] != 1 {
		t.Errorf("ours: %v", k.Suppressed)
	}
	c := create(t, other, "Theirs")
	if k := other.Check(t, c.ID); k.Eligible != 1 {
		t.Errorf("theirs: %v", k.Suppressed)
	}
	_, err := in(t, a, func(ctx context.Context, tx pgx.Tx) (caps.Pass, error) {
		return caps.SetPass(ctx, tx, a.Actor, c.ID, true, "we want to reach their people")
	})
	if !errs.Is(err, "not_found") {
		t.Errorf("another's campaign: %v", err)
	}
	_, err = in(t, a, func(ctx context.Context, tx pgx.Tx) (caps.SendingRules, error) {
		return caps.Put(ctx, tx, a.Actor, caps.SendingRules{}, caps.SendingSettings{})
	})
	if !errs.Is(err, "version.stale") {
		t.Errorf("with an old version: %v", err)
	}
	marketer := a.Actor
	marketer.Role = accounts.Marketer
	_, err = in(t, a, func(ctx context.Context, tx pgx.Tx) (caps.SendingRules, error) {
		return caps.Put(ctx, tx, marketer, caps.SendingRules{Version: 1}, caps.SendingSettings{})
	})
	if !errs.Is(err, "auth.role") {
		t.Errorf("a marketer: %v", err)
	}
}

// The operator's countries hold for every workspace, whatever the purpose.
func TestTheOperatorBlocksACountry(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	_, run := launched(t, b, "Everybody")
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	must(t, b, func(ctx context.Context, tx pgx.Tx) (plan.Progress, error) {
		return plan.Next(ctx, tx, b.Vault, box, b.Workspace, run, "SA")
	})
	if n := number(t, b, `select count(*) from message where run_id = $1 and reason = 'country_blocked'`, run); n != 2 {
		t.Errorf("%d are blocked", n)
	}
}

// Old turns go, those that a rule may look back to stay.
func TestSweepOfTurns(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	for i, days := range []int{0, 30, 60, 62, 400} {
		b.Do(t, `insert into frequency_turn (workspace_id, contact_id, run_id, ordinal, at) values ($1, gen_random_uuid(), gen_random_uuid(), $2, bareed_now() - $3::interval)`,
			b.Workspace, i+1, fmt.Sprintf("%d days", days))
	}
	err := b.Pool.InEngine(t.Context(), func(tx pgx.Tx) error {
		more, err := caps.Sweep(t.Context(), tx)
		if more {
			t.Error("there is more")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := number(t, b, `select count(*) from frequency_turn where workspace_id = $1`, b.Workspace); n != 3 {
		t.Errorf("%d turns are left", n)
	}
}
