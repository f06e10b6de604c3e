package web_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
)

// setLimit gives the desk's portfolio a limit without a reserve.
func (d *desk) setLimit(t *testing.T, limit int) {
	t.Helper()
	if _, err := d.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = $2, reserve = 0 where id = $1`, d.Portfolio, limit); err != nil {
		t.Fatal(err)
	}
}

// The check's page shows both lines, the calendar with its table and the plan
// to grow, in both languages.
func TestTheCheckForetells(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 4100)
	d.setLimit(t, 2000)
	k := d.Check(t, d.Campaign(t, "Foretold").ID)
	path := "/campaigns/" + k.CampaignID.String() + "/edit/check"
	b := d.as(t, accounts.Marketer)
	b.get(path).has(t, 200, "When it is through", "If the limit stays", "If Meta raises the limit", "The limit is expected to rise to 10,000 about",
		`class="chart chart-columns"`, "3 days, at most 2,000 people on one day.", "Show table", "How to earn a higher limit",
		"2 days by this plan, 3 if the limit never rises.", "Next limit: 10,000", "1,053")
	b.post("/language", "language", "ar", "back", "/").to(t, "/")
	b.get(path).has(t, 200, "إذا بقي الحد كما هو", "إذا رفعت ميتا الحد", "كيف ترفع الحد", "1,053")

	d.setLimit(t, 10_000)
	b.post("/language", "language", "en", "back", "/").to(t, "/")
	if p := b.get(path).has(t, 200, "All sent by"); strings.Contains(p.Body, "When it is through") {
		t.Error("a calendar although everybody fits into today")
	}
	d.setLimit(t, 250)
	b.get(path).has(t, 200, "Below 2,000 people Meta raises the limit after the business is verified", "Verify the business")
}

// While people wait for places, the campaign's page says until when.
func TestARunningCampaignForetells(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 40)
	l := d.Launch(t, "Waiting")
	d.Do(t, `update message set state = 'delivered', accepted_at = bareed_now() - ordinal * interval '1 second', delivered_at = bareed_now()
		where run_id = $1 and ordinal <= 20`, l.RunID)
	d.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, d.Workspace, l.RunID) })
	b := d.as(t, accounts.Marketer)
	path := "/campaigns/" + l.CampaignID.String()
	if p := b.get(path).has(t, 200, "Finishes about"); strings.Contains(p.Body, "People wait for places") {
		t.Error("somebody waits although there are places")
	}
	d.setLimit(t, 10)
	b.get(path).has(t, 200, "Finishes about", "People wait for places under the messaging limit.", "How many go on which day, if the limit stays")
}
