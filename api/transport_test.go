package api_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/api/transports"
	"bareed/campaigns"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// A campaign's way by API: refused with its place, kept, changed, taken back, and
// shown on campaign and report; what the account can is asked of its number.
func TestCampaignTransport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 2)
	order := b.AddTemplate(t, "UTILITY", "APPROVED", "Hello {{1}}, your order left.")
	body := func(more ...any) map[string]any {
		m := map[string]any{"name": "Eid", "number_id": b.Number, "template_id": b.Template, "audience_ids": []id.Audience{b.Audience},
			"variables": map[string]any{"body": []map[string]string{{"attribute": "first_name"}}}}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	for _, tc := range []struct {
		body          map[string]any
		code, pointer string
	}{
		{body("transport", "sms"), "campaign.transport", "/transport"},
		{body("transport", "marketing_messages", "template_id", order), "campaign.transport_category", "/transport"},
		{body("transport", "marketing_messages", "product_policy", "SOMETIMES"), "campaign.product_policy", "/product_policy"},
		{body("product_policy", "STRICT"), "campaign.product_policy", "/product_policy"},
		{body("activity_sharing", true), "campaign.activity_sharing", "/activity_sharing"},
	} {
		if p := r.call(t, "POST", "/v1/campaigns", tc.body).refused(t, 422, tc.code); len(p.Errors) != 1 || p.Errors[0].Pointer != tc.pointer {
			t.Errorf("%s: %+v", tc.code, p.Errors)
		}
	}
	var c campaigns.Campaign
	r.call(t, "POST", "/v1/campaigns", body("transport", "marketing_messages")).ok(t, 201).into(t, &c)
	path := "/v1/campaigns/" + c.ID.String()
	if c.Transport != "marketing_messages" || c.ProductPolicy != "CLOUD_API_FALLBACK" || c.ActivitySharing {
		t.Errorf("the defaults: %+v", c.Choice)
	}
	patch := func(version string, change map[string]any) campaigns.Campaign {
		t.Helper()
		var c campaigns.Campaign
		r.call(t, "PATCH", path, change, header("If-Match", version)).ok(t, 200).into(t, &c)
		return c
	}
	if c := patch(`"1"`, map[string]any{"product_policy": "STRICT", "activity_sharing": true}); c.ProductPolicy != "STRICT" || !c.ActivitySharing {
		t.Errorf("changed: %+v", c.Choice)
	}
	if c := patch(`"2"`, map[string]any{"transport": nil}); c.Transport != "cloud" || c.ProductPolicy != "" || c.ActivitySharing {
		t.Errorf("taken away: %+v", c.Choice)
	}
	if c := patch(`"3"`, map[string]any{"transport": "marketing_messages", "product_policy": "STRICT"}); c.ProductPolicy != "STRICT" {
		t.Errorf("once more: %+v", c.Choice)
	}

	number := "/v1/numbers/" + b.Number.String() + "/transports"
	var can transports.Transports
	r.call(t, "GET", number, nil).ok(t, 200).into(t, &can)
	if can.MarketingMessages.Status != "" || can.MarketingMessages.Ready || !can.Cloud.Marketing {
		t.Errorf("not told: %+v", can)
	}
	b.Do(t, `update waba set marketing_status = 'ELIGIBLE', cloud_marketing_off = true where workspace_id = $1`, b.Workspace)
	r.call(t, "GET", number, nil).ok(t, 200).into(t, &can)
	if can.NumberID != b.Number || can.MarketingMessages.Status != "ELIGIBLE" || can.MarketingMessages.Ready || can.Cloud.Marketing {
		t.Errorf("told: %+v", can)
	}
	b.Check(t, c.ID)
	p := r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 2}, header("Idempotency-Key", "a")).refused(t, 409, "campaign.not_onboarded")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/transport" {
		t.Errorf("%+v", p)
	}
	b.Do(t, `update waba set marketing_status = 'ONBOARDED' where workspace_id = $1`, b.Workspace)
	r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 2}, header("Idempotency-Key", "b")).ok(t, 202)
	var report campaigns.Report
	r.call(t, "GET", path+"/report", nil).ok(t, 200).into(t, &report)
	if report.Transport != "marketing_messages" || report.ProductPolicy != "STRICT" || report.ActivitySharing {
		t.Errorf("the report: %+v", report.Choice)
	}
}

// That the business accepted Meta's terms makes the account due for a poll, once.
func TestSignedTermsAreLookedAtSoon(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000000")
	polled := func() (known bool) {
		t.Helper()
		fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `select polled_at is not null from waba`).Scan(&known)
		})
		return known
	}
	again := func() {
		t.Helper()
		fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `update waba set polled_at = bareed_now()`)
			return err
		})
	}
	again()
	m.post(t, m.file(t, "account_update_disabled_reinstate.json")).ok(t, 200)
	if !polled() {
		t.Error("other news make it due")
	}
	signed := m.file(t, "account_update_mm_terms_signed.json")
	m.post(t, signed).ok(t, 200)
	if polled() {
		t.Error("it is not due")
	}
	again()
	m.post(t, append(signed, ' ')).ok(t, 200)
	if !polled() {
		t.Error("the same news in another body make it due again")
	}
}
