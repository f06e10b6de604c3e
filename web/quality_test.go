package web_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/guard"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/numbers/budget"
	"bareed/templates"
	"bareed/whatsapp"
)

// TestDifferencePages: a held campaign shows what changed in its template, line by
// line in both languages, and whoever clears the hold agrees to it.
func TestDifferencePages(t *testing.T) {
	t.Parallel()
	r, counted := deskRig(t)
	bc := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	bc.AddPeople(t, bc.Audience, 3)
	l := bc.Launch(t, "Guarded")
	changed := `[{"type": "BODY", "text": "Hello {{1}}, the shop is closed."}]`
	bc.Do(t, `update template set components = $2::jsonb, components_hash = $3, category = 'UTILITY' where workspace_id = $1`,
		bc.Workspace, changed, templates.Hash([]byte(changed)))
	bc.In(t, func(tx pgx.Tx) error {
		return guard.Changed(t.Context(), tx, bc.Workspace, []numbers.Change{numbers.OfTemplate(bc.Template, numbers.Category, "MARKETING", "UTILITY")})
	})
	b := r.as(t, accounts.Owner)
	path := "/campaigns/" + l.CampaignID.String()
	for _, at := range []string{path, path + "/resume"} {
		both(t, b, counted, at, "The template is not what was approved", "What changed in the template", "Marketing", "Utility",
			"<del dir=\"auto\">Hello {{1}}, the shop is open.</del>", "<ins dir=\"auto\">Hello {{1}}, the shop is closed.</ins>")
	}
	var stop id.Stop
	bc.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select id from stop where cleared_at is null`).Scan(&stop)
	})
	b.post(path+"/resume", "stop", stop.String(), "reason", "read it").to(t, path)
	if p := b.get(path); strings.Contains(p.Body, "What changed in the template") {
		t.Error("the difference stays after it was agreed to")
	}
}

// TestQualityPages: ratings over time with their table, Meta's health answer in its
// words, and the operator's list of calls.
func TestQualityPages(t *testing.T) {
	t.Parallel()
	r, counted := deskRig(t)
	m := fixture.Connect(t, r.pool, r.vault, r.tenant, fixture.RandomIDs())
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := numbers.ApplyHealth(t.Context(), tx, r.tenant.Workspace, m.Number, whatsapp.Health{CanSend: "BLOCKED", Entities: []whatsapp.HealthEntity{
			{Type: "WABA", CanSend: "BLOCKED", Codes: []int{131031}, Reasons: []whatsapp.HealthReason{{Code: 131031, Description: "Locked <b>", Solution: "Ask for a review"}}}}})
		return err
	})
	b := r.as(t, accounts.Owner)
	both(t, b, counted, "/numbers/"+m.Number.ID.String(), "Quality over time", "Show table", "Can it be sent?", "Locked &lt;b&gt;", "Ask for a review", "131031", "The WhatsApp account")
	both(t, b, counted, "/templates/"+m.Template.ID.String(), "Quality over time", "Show table")
	err := r.pool.InEngine(t.Context(), func(tx pgx.Tx) error {
		_, err := budget.Spend(t.Context(), tx, budget.Account{App: m.Number.App, MetaWABA: m.Connection.WABAID}, budget.Spent{Calls: 2, Refused: 80007})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, "")
	if err := accounts.SetOperator(t.Context(), r.pool, email, true); err != nil {
		t.Fatal(err)
	}
	operator := r.browser(t)
	operator.get("/ops/sign-in").to(t, "/sign-in?next=/ops")
	operator.signIn(email)
	both(t, operator, counted, "/ops", "Calls to Meta", m.Connection.WABAID, "Rests until", "80007")
}
