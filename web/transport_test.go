package web_test

import (
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/campaigns/transport"
	"bareed/internal/fixture"
)

// The third step offers Meta's two ways for marketing, says why one cannot be taken,
// and keeps what was chosen; the later pages tell it. Nothing of it needs script.
func TestTheWizardsTransport(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 2)
	account := func(status string, off bool) {
		t.Helper()
		d.Do(t, `update waba set marketing_status = $2, cloud_marketing_off = $3 where workspace_id = $1`, d.Workspace, status, off)
	}
	made := d.Campaign(t, "Ramadan")
	base := "/campaigns/" + made.ID.String()
	step := base + "/edit/delivery"
	b := d.as(t, accounts.Marketer)
	p := b.get(step).has(t, 200, `name="transport" value="cloud" checked`, `name="transport" value="marketing_messages"`, "Meta has not told yet")
	delivery := func(more ...string) []string {
		return append([]string{"go", "stay", "when", "now", "speed", "full"}, more...)
	}
	b.do("POST", step, p.hiddenOf(delivery("transport", "sms")...)).has(t, 422, `href="#transport"`, "The transport is cloud or marketing_messages.")
	b.do("POST", step, p.hiddenOf(delivery("transport", "marketing_messages", "product_policy", "OFTEN")...)).has(t, 422, `href="#product_policy"`)
	// What stands unseen beside the usual way is not looked at.
	b.do("POST", step, p.hiddenOf(delivery("transport", "cloud", "product_policy", "STRICT", "activity_sharing", "yes")...)).to(t, step)
	if c := d.campaign(t, made.ID); c.Choice != (transport.Choice{Transport: transport.Cloud}) {
		t.Errorf("the usual way: %+v", c.Choice)
	}
	p = b.get(step)
	b.do("POST", step, p.hiddenOf(delivery("transport", "marketing_messages", "product_policy", "STRICT", "activity_sharing", "yes")...)).to(t, step)
	want := transport.Choice{Transport: transport.MarketingMessages, ProductPolicy: transport.Strict, ActivitySharing: true}
	if c := d.campaign(t, made.ID); c.Choice != want {
		t.Errorf("%+v", c.Choice)
	}
	p = b.get(step).has(t, 200, `value="marketing_messages" checked`, `value="STRICT" checked`, `name="activity_sharing" type="checkbox" value="yes" checked`)
	b.do("POST", step, p.hiddenOf(delivery()...)).to(t, step) // a form without the choice
	if c := d.campaign(t, made.ID); c.Choice != want {
		t.Errorf("a form that did not offer it changed it: %+v", c.Choice)
	}

	account("ELIGIBLE", false)
	b.get(step).has(t, 200, "accepts Meta&#39;s terms in WhatsApp Manager")
	d.Check(t, made.ID)
	b.get(base+"/edit/check").has(t, 200, "not set up for the Marketing Messages API yet", "/edit/delivery#transport")
	b.get(base+"/edit/confirm").has(t, 200, "disabled", "not set up")
	account("INELIGIBLE_COUNTRY_NOT_SUPPORTED", true)
	b.get(step).has(t, 200, "Meta does not offer it to this account", "The account takes no marketing this way")
	b.get("/numbers/"+d.Number.String()).has(t, 200, "Not offered in the account&#39;s country", "Marketing through the Cloud API")
	account("ONBOARDED", false)
	b.get("/numbers/"+d.Number.String()).has(t, 200, "Set up")
	const said = "Marketing Messages API · what it cannot take is not sent · activity is shared with Meta"
	b.get(base+"/edit/confirm").has(t, 200, said, "delivery#transport")
	d.LaunchDraft(t, made.ID)
	b.get(base).has(t, 200, said)
	b.get(base+"/report").has(t, 200, said)
	b.post("/language", "language", "ar", "back", "/").to(t, "/")
	b.get(base).has(t, 200, "واجهة رسائل التسويق · وما تعذّر عليها لا يُرسل · يُشارك النشاط مع ميتا")
}

// Other categories have the one way, and nothing to choose.
func TestTheWizardHidesTheTransport(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 1)
	d.Template = d.AddTemplate(t, "UTILITY", "APPROVED", "Hello {{1}}, your order left.")
	made := d.Campaign(t, "Orders")
	step := "/campaigns/" + made.ID.String() + "/edit/delivery"
	b := d.as(t, accounts.Marketer)
	p := b.get(step)
	if p.Status != 200 || strings.Contains(p.Body, `name="transport"`) {
		t.Errorf("%d: a choice for a utility template", p.Status)
	}
	b.do("POST", step, p.hiddenOf("go", "stay", "when", "now", "speed", "full", "transport", "marketing_messages")).
		has(t, 422, "The Marketing Messages API carries marketing templates only; this template is UTILITY.")
	// One that was chosen before the template became another is still offered, to be changed.
	d.Do(t, `update campaign set transport = 'marketing_messages', product_policy = 'STRICT' where id = $1`, made.ID)
	b.get(step).has(t, 200, `name="transport" value="marketing_messages" checked`)
	b.get("/campaigns/"+made.ID.String()+"/edit/check").has(t, 200, "carries marketing templates only", "/edit/delivery#transport")
	stranger := fixture.NewBroadcast(t, d.pool)
	b.get("/campaigns/"+stranger.Campaign(t, "Theirs").ID.String()+"/edit/delivery").has(t, 404)
}
