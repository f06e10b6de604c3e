package campaigns_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/occurrence"
	"bareed/campaigns/schedule"
	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/numbers"
)

var strict = transport.Choice{Transport: transport.MarketingMessages, ProductPolicy: transport.Strict, ActivitySharing: true}

// byMarketing makes a draft that goes by the Marketing Messages API, of an account
// with a status at Meta.
func byMarketing(t testing.TB, b *fixture.Broadcast, name, status string) campaigns.Campaign {
	t.Helper()
	b.Do(t, `update waba set marketing_status = $2 where workspace_id = $1`, b.Workspace, status)
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		d := definition(b, name)
		d.Way = strict
		return campaigns.Create(ctx, tx, b.Actor, d)
	})
}

func edit(t testing.TB, b *fixture.Broadcast, c campaigns.Campaign, ch campaigns.Change) (campaigns.Campaign, error) {
	t.Helper()
	return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Edit(ctx, tx, b.Actor, c.ID, c.Version, ch)
	})
}

// ways reads the ways of a campaign's runs, oldest first.
func ways(t testing.TB, b *fixture.Broadcast, c id.Campaign) []transport.Choice {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) ([]transport.Choice, error) {
		rows, err := tx.Query(ctx, `select transport, coalesce(product_policy, ''), activity_sharing from run where workspace_id = $1 and campaign_id = $2 order by id`, b.Workspace, c)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByPos[transport.Choice])
	})
}

func TestTransportIsRefusedAtTheDefinition(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	order := b.AddTemplate(t, "UTILITY", "APPROVED", "Hello {{1}}, your order left.")
	b.Do(t, `update permission set purpose = 'utility' where workspace_id = $1`, b.Workspace)
	for _, tc := range []struct {
		code, pointer string
		template      id.Template
		way           transport.Choice
	}{
		{"campaign.transport_category", "/transport", order, transport.Choice{Transport: transport.MarketingMessages}},
		{"campaign.transport", "/transport", b.Template, transport.Choice{Transport: "sms"}},
		{"campaign.product_policy", "/product_policy", b.Template, transport.Choice{ProductPolicy: transport.Strict}},
		{"campaign.product_policy", "/product_policy", b.Template, transport.Choice{Transport: transport.MarketingMessages, ProductPolicy: "SOMETIMES"}},
		{"campaign.activity_sharing", "/activity_sharing", b.Template, transport.Choice{ActivitySharing: true}},
	} {
		_, err := in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
			d := definition(b, "Refused")
			d.TemplateID, d.Way = tc.template, tc.way
			return campaigns.Create(ctx, tx, b.Actor, d)
		})
		if e := wantCode(t, err, tc.code); e.Fields[0].Pointer != tc.pointer {
			t.Errorf("%+v: %+v", tc.way, e.Fields)
		}
	}
	c := byMarketing(t, b, "Offer", "ONBOARDED")
	if c.Choice != strict {
		t.Errorf("%+v", c.Choice)
	}
	_, err := edit(t, b, c, campaigns.Change{TemplateID: &order})
	wantCode(t, err, "campaign.transport_category")
	// A draft in the making may be between two steps; what it lacks is told.
	partial, err := edit(t, b, c, campaigns.Change{TemplateID: &order, Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	if k := b.Check(t, c.ID); !slices.ContainsFunc(k.Warnings, func(w check.Warning) bool { return w.Code == "campaign.transport_category" }) {
		t.Errorf("the check does not tell: %+v", k.Warnings)
	}
	cloud := transport.Cloud
	partial.Version = get(t, b, c.ID).Version
	mended, err := edit(t, b, partial, campaigns.Change{Way: transport.Change{Transport: &cloud}})
	if err != nil || mended.Choice != (transport.Choice{Transport: transport.Cloud}) {
		t.Errorf("%+v: %v", mended.Choice, err)
	}
}

// A launch takes the way the account can go, as far as Meta has told; what Meta has
// not told warns.
func TestTransportAtTheLaunch(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	c := byMarketing(t, b, "Offer", "ELIGIBLE")
	usual := create(t, b, "Usual")
	told := func(k check.Check) (all []string) {
		for _, w := range k.Warnings {
			if w.Code != "campaign.warn_health_unknown" {
				all = append(all, w.Code)
			}
		}
		return all
	}
	for _, tc := range []struct {
		status string
		off    bool
		c      id.Campaign
		code   string
	}{
		{"ELIGIBLE", false, c.ID, "campaign.not_onboarded"},
		{"INELIGIBLE_COUNTRY_NOT_SUPPORTED", false, c.ID, "campaign.ineligible"},
		{"ELIGIBLE", true, usual.ID, "campaign.cloud_marketing_off"},
	} {
		b.Do(t, `update waba set marketing_status = $2, cloud_marketing_off = $3 where workspace_id = $1`, b.Workspace, tc.status, tc.off)
		k := b.Check(t, tc.c)
		if !slices.Equal(told(k), []string{tc.code}) {
			t.Errorf("%+v: the check tells %v", tc, told(k))
		}
		_, err := launch(t, b, tc.c, campaigns.LaunchRequest{Expected: k.Eligible})
		wantCode(t, err, tc.code)
	}
	b.Do(t, `update waba set marketing_status = '', cloud_marketing_off = true where workspace_id = $1`, b.Workspace)
	k := b.Check(t, c.ID)
	if !slices.Equal(told(k), []string{"campaign.warn_onboarding_unknown"}) {
		t.Errorf("not told: %v", told(k))
	}
	if _, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible}); err != nil {
		t.Errorf("what Meta has not told refuses: %v", err)
	}
}

// The run has the way of its launch: a copy of the campaign, whatever becomes of it,
// a pause, a resume and the next firing change nothing of it.
func TestARunKeepsItsTransport(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	c := byMarketing(t, b, "Offer", "ONBOARDED")
	if _, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: b.Check(t, c.ID).Eligible}); err != nil {
		t.Fatal(err)
	}
	cloud := transport.Cloud
	c = get(t, b, c.ID)
	_, err := edit(t, b, c, campaigns.Change{Way: transport.Change{Transport: &cloud}})
	wantCode(t, err, "campaign.state")

	duplicated := duplicate(t, b, c.ID, "copy")
	if duplicated.Choice != strict {
		t.Errorf("the copy goes by %+v", duplicated.Choice)
	}
	duplicated, err = edit(t, b, duplicated, campaigns.Change{Way: transport.Change{Transport: &cloud}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := launch(t, b, duplicated.ID, campaigns.LaunchRequest{Expected: b.Check(t, duplicated.ID).Eligible}); err != nil {
		t.Fatal(err)
	}
	if _, err := pause(t, b, c.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := resume(t, b, c.ID, b.Actor, campaigns.ResumeRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := ways(t, b, c.ID); !slices.Equal(got, []transport.Choice{strict}) {
		t.Errorf("the first run goes by %+v", got)
	}
	if got := ways(t, b, duplicated.ID); !slices.Equal(got, []transport.Choice{{Transport: transport.Cloud}}) {
		t.Errorf("the copy's run goes by %+v", got)
	}
	r := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Report, error) {
		return campaigns.GetReport(ctx, tx, b.Workspace, c.ID)
	})
	if r.Choice != strict {
		t.Errorf("the report says %+v", r.Choice)
	}
}

func TestTheNextFiringKeepsTheTransport(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := byMarketing(t, b, "Every day", "ONBOARDED")
	rules := &schedule.Rules{Zone: "UTC", Recurring: &schedule.Recurrence{Every: "day", Time: "10:00"}}
	c, err := edit(t, b, c, campaigns.Change{Schedule: &rules})
	if err != nil {
		t.Fatal(err)
	}
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: b.Check(t, c.ID).Eligible})
	if err != nil {
		t.Fatal(err)
	}
	more := must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) {
		return occurrence.Next(ctx, tx, b.Workspace, c.ID, l.RunID, rules, occurrence.Late)
	})
	if got := ways(t, b, c.ID); !more || !slices.Equal(got, []transport.Choice{strict, strict}) {
		t.Errorf("%v, %+v", more, got)
	}
}

// A template that Meta moved out of marketing holds the campaign, and cannot be
// agreed to: the run's way does not carry it.
func TestAnotherCategoryOnTheMarketingWay(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	c := byMarketing(t, b, "Offer", "ONBOARDED")
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: b.Check(t, c.ID).Eligible})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1`, b.Workspace)
	told(t, b, numbers.Category)
	held := get(t, b, c.ID)
	if len(held.Stops) != 1 {
		t.Fatalf("%+v", held.Stops)
	}
	if _, err := clearHold(t, b, c.ID, held.Stops[0].ID); !errs.Is(err, "campaign.transport_category") {
		t.Errorf("agreed to: %v", err)
	}
	if now := get(t, b, c.ID); len(now.Stops) != 1 {
		t.Errorf("the hold is gone: %+v", now.Stops)
	}
}
