package web_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/messages"
	"bareed/messages/behind"
)

// The two alarms that must never be needed are on the home page, and the hold is
// on the campaign's own page with what was measured and who ends it.
func TestAlarmsAreShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 2)
	l := d.Launch(t, "Ramadan")
	d.In(t, func(tx pgx.Tx) error {
		_, err := behind.Hold(t.Context(), tx, d.Workspace, behind.Loss{})
		return err
	})
	d.Do(t, `insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome) values ($1, $2, 1, 1, gen_random_uuid(), $3)`,
		d.Workspace, l.RunID, messages.SecondAcceptance)
	b := d.as(t, accounts.Owner)
	campaign := "/campaigns/" + l.CampaignID.String()
	home := b.get("/").has(t, 200, "The database is older than what was sent", "Meta accepted a message of Ramadan twice", campaign)
	examine(t, "/", "en", home)
	p := b.get(campaign).has(t, 200, "The database is older than what was sent", "The database ends before what it had come to", "Waits for the operator of this service.")
	examine(t, campaign, "en", p)
}
