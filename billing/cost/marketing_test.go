package cost_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/cost"
	"bareed/billing/estimate"
	"bareed/campaigns/transport"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
	"bareed/sandbox"
	"bareed/whatsapp"
)

// By the Marketing Messages API a campaign is estimated and charged under
// marketing_lite; what fell back to the Cloud API is charged as marketing, and the
// difference is the category's. A card without that price leaves it unknown.
func TestMarketingMessagesAreChargedByTheirWay(t *testing.T) {
	t.Parallel()
	const people, fallen, lite, usual = 10, 3, 700_000, 900_000
	m := newMeta(t)
	err := m.Apply(sandbox.Seed{
		WABAs: []sandbox.WABA{{ID: "900300000000009", Name: "Acme", PortfolioID: "900200000000009", MarketingStatus: "ONBOARDED"}},
		Templates: []sandbox.Template{{ID: "900500000000010", WABAID: "900300000000009", Name: "offer", Language: "en_US",
			Components: json.RawMessage(`[{"type":"BODY","text":"Good news today."}]`)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.Do(t, `update waba set marketing_status = 'ONBOARDED' where workspace_id = $1`, b.Workspace)
	b.AddPeople(t, b.Audience, people)
	yesterday := time.Now().AddDate(0, 0, -2)
	b.AddCard(t, yesterday, fixture.FakeCard)
	c := b.CampaignBy(t, "Offer", transport.Choice{Transport: transport.MarketingMessages})
	estimated := func() (e estimate.Estimate) {
		k := b.Check(t, c.ID)
		b.In(t, func(tx pgx.Tx) (err error) {
			e, err = estimate.OfCheck(t.Context(), tx, b.Workspace, c.ID, k.ID)
			return err
		})
		return e
	}
	if e := estimated(); e.Total != nil || e.Unpriced != people || e.Lines[0].Why != billing.NoRate {
		t.Errorf("a card without marketing_lite: %+v", e)
	}
	b.AddCard(t, yesterday.AddDate(0, 0, 1), fixture.FakeCard+"Saudi Arabia,marketing_lite,XTS,0.7,,\n")
	if e := estimated(); e.Category != billing.MarketingLite || e.Lines[0].Category != billing.MarketingLite || e.Total == nil || e.Total.Micros != people*lite {
		t.Errorf("estimated: %+v", e)
	}
	l := b.LaunchDraft(t, c.ID)
	b.In(t, func(tx pgx.Tx) error { return estimate.Fix(t.Context(), tx, b.Workspace, l.RunID) })
	if _, err := m.AddFault(sandbox.Fault{Kind: sandbox.KindFallback, Count: fallen}); err != nil {
		t.Fatal(err)
	}
	m.sendAs(t, b, l.RunID, whatsapp.TemplateMessage{Name: "offer", Language: "en_US", Marketing: &whatsapp.Marketing{Policy: whatsapp.PolicyFallback}})
	m.apply(t, b, l.RunID)

	k := read(t, b, l.CampaignID)
	got := map[string]cost.CostLine{}
	for _, line := range k.Lines {
		got[line.Category] = line
	}
	if x, y := got["marketing_lite"], got["marketing"]; len(got) != 2 || x.Charged != people-fallen || x.Amount.Micros != (people-fallen)*lite ||
		y.Charged != fallen || y.Amount.Micros != fallen*usual {
		t.Errorf("%+v", k.Lines)
	}
	if k.Estimated == nil || k.Estimated.Micros != people*lite || k.Actual.Micros != (people-fallen)*lite+fallen*usual {
		t.Errorf("estimated %v, actual %v", k.Estimated, k.Actual)
	}
	check(t, k, map[string]int64{cost.OtherCategory: fallen, cost.NotDelivered: 0})
	for _, cause := range k.Variance.Causes {
		if cause.Cause == cost.OtherCategory && cause.Amount.Micros != fallen*(usual-lite) {
			t.Errorf("the category's part is %v, want %d micros", cause.Amount, fallen*(usual-lite))
		}
	}
}
