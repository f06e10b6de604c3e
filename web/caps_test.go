package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing/budget"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/internal/fixture"
)

// The sending rules are set, refused with their faults, and shown to those who
// may not set them, in both languages.
func TestSendingRulesPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.as(t, accounts.Owner)
	const path = "/settings/caps"
	b.get("/settings").has(t, 200, `href="/settings/caps"`)
	b.get(path).has(t, 200, "How often a person may get marketing", `value="24"`, "Empty: no budget.")
	b.post(path, "version", "0", "most_1", "0", "days_1", "7", "cool_off_hours", "12", "blocked_countries", "KP, Korea").
		has(t, 422, `id="most_1-error"`, `id="cool_off_hours-error"`, "12 is not possible. Use 24 to 720.", "Korea is no country", `value="KP, Korea"`)
	b.post(path, "version", "0", "most_1", "٢", "days_1", "٧", "cool_off_hours", "48", "blocked_countries", "kp، cu").to(t, path)
	b.get(path).has(t, 200, "Blocked: Cuba, North Korea.", `value="2"`, `value="48"`, "are counted")
	b.post(path, "version", "0", "most_1", "9", "days_1", "1", "cool_off_hours", "24").has(t, 412, `value="9"`)
	b.post("/settings/budget", "budget_version", "0", "amount", "much", "currency", "XTS").has(t, 422, `id="amount-error"`, `value="much"`)
	b.post(path, "version", "1", "most_1", "two", "days_1", "7", "cool_off_hours", "1,5").
		has(t, 422, `id="most_1-error"`, `id="cool_off_hours-error"`, "This is no number.", `value="two"`, `value="1,5"`)
	b.post("/settings/budget", "budget_version", "0", "amount", "12,50", "currency", "XTS").has(t, 422, "This is no number. Write it like 1250 or 12.5.", `value="12,50"`)
	b.post("/settings/budget", "budget_version", "0", "amount", "1,500.50", "currency", "xts").to(t, path+"#budget-head")
	b.get(path).has(t, 200, `<bdi dir="ltr">1,500.50 XTS</bdi>`, `value="1500.50"`, "Spent")
	for _, lang := range []string{"ar", "en"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		b.lang = lang
		examine(t, path, lang, b.get(path))
	}
	viewer := d.as(t, accounts.Viewer)
	viewer.get(path).has(t, 200, "2 messages in 7 days", "48 hours", "Only owners and admins change settings.")
	viewer.post(path, "version", "1").has(t, 403)
	d.as(t, accounts.Marketer).post("/settings/budget", "amount", "").has(t, 403)
}

// A campaign's own budget and leave, from the wizard to the hold it opens.
func TestCapsOfACampaign(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	people := d.AddPeople(t, d.Audience, 10)
	d.Do(t, `update identity set country = 'US' where workspace_id = $1 and contact_id = $2`, d.Workspace, people[9])
	d.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	b := d.as(t, accounts.Owner)
	c := d.Broadcast.Campaign(t, "Capped")
	d.Check(t, c.ID)
	caps, edit := "/campaigns/"+c.ID.String()+"/caps", "/campaigns/"+c.ID.String()+"/edit/"
	b.get(edit+"delivery").has(t, 200, caps)
	b.get(edit+"check").has(t, 200, "United States: Meta delivers no marketing there", "Canada, with the same &#43;1, is not meant.")
	b.get(edit+"confirm").has(t, 200, "wizard-send")

	b.post(caps+"/budget", "budget_version", "0", "amount", "8", "currency", "XTS").to(t, caps)
	b.get(edit+"check").has(t, 200, "This cannot be launched yet", "The estimate of 8.10 XTS is above the campaign&#39;s budget of 8.00 XTS.", caps)
	refused := b.get(edit+"confirm").has(t, 200, "8.10 XTS is above")
	if !strings.Contains(refused.Body, `wizard-send" disabled`) {
		t.Error("the launch can be pressed above the budget")
	}
	b.post(caps+"/budget", "budget_version", "1", "amount", "8.10", "currency", "XTS").to(t, caps)
	b.get(caps).has(t, 200, `value="8.10"`, "The workspace has no frequency rule.")
	b.post(caps+"/frequency", "pass", "yes", "reason", "short").has(t, 422, `id="reason-error"`)
	b.post(caps+"/frequency", "pass", "yes", "reason", "a recall that all must hear of").to(t, caps)
	b.get(caps).has(t, 200, "This campaign passes the rule", "a recall that all must hear of")
	b.post(caps+"/frequency").to(t, caps)
	for _, lang := range []string{"ar", "en"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		b.lang = lang
		examine(t, caps, lang, b.get(caps))
		examine(t, edit+"check", lang, b.get(edit+"check"))
	}

	l := d.Launch(t, "Held")
	held := "/campaigns/" + l.CampaignID.String()
	b.post(held+"/caps/budget", "budget_version", "0", "amount", "0.50", "currency", "XTS").to(t, held+"/caps")
	look := func() {
		d.In(t, func(tx pgx.Tx) error {
			if err := estimate.Fix(t.Context(), tx, d.Workspace, l.RunID); err != nil {
				return err
			}
			if err := charges.Count(t.Context(), tx, d.Workspace, l.RunID); err != nil {
				return err
			}
			return budget.Tick(t.Context(), tx, d.Workspace)
		})
	}
	look()
	for _, lang := range []string{"ar", "en"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		b.lang = lang
		examine(t, held, lang, b.get(held))
		examine(t, held+"/resume", lang, b.get(held+"/resume"))
	}
	b.get(held).has(t, 200, "The campaign&#39;s budget is used up", "had come to 0.00 XTS of 0.50 XTS", "by raising the budget", `href="`+held+`/caps#budget-head">To the budget`)
	b.get(held+"/caps").has(t, 200, "Everybody of this sending was estimated at 8.10 XTS.")
	if p := b.get(held+"/resume").has(t, 200, "Nothing of this can be cleared here", "To the budget"); !strings.Contains(p.Body, `disabled aria-describedby="resume-why"`) {
		t.Error("resuming is offered where it cannot help")
	}
	b.post(held+"/resume").to(t, held)
	b.get(held).has(t, 200, "Held is still held: the reason stands below.")
	b.post(held+"/caps/budget", "budget_version", "1", "amount", "").to(t, held+"/caps")
	b.post("/settings/budget", "budget_version", "0", "amount", "0.40", "currency", "XTS").to(t, "/settings/caps#budget-head")
	look()
	b.get(held).has(t, 200, "The month&#39;s budget is used up", "of 0.40 XTS this month", "at the latest when the next month begins", `href="/settings/caps#budget-head">To the budget`)
	b.get("/settings/caps").has(t, 200, "What was launched is estimated at 7.70 XTS above the budget.")
	d.as(t, accounts.Marketer).get(held+"/caps").has(t, 200, "Only owners and admins change the budget of a campaign that was launched.")
	d.as(t, accounts.Marketer).post(held+"/caps/frequency", "pass", "yes", "reason", "a reason that is long enough").has(t, 403)
	d.tenant = fixture.Workspace(t, d.rig.pool, d.rig.vault)
	other := d.as(t, accounts.Owner)
	other.get(caps).has(t, 404)
	other.post(caps+"/budget", "amount", "1", "currency", "XTS").has(t, 404)
}
