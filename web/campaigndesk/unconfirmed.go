package campaigndesk

import (
	"github.com/jackc/pgx/v5"

	"bareed/campaigns/unconfirmed"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
)

// unconfirmedView asks what is to become of messages that got no answer.
type unconfirmedView struct {
	asked
	unconfirmed.Standing
}

func aboutUnconfirmed() question {
	return question{"campaign-unconfirmed", func(c *front.Call, tx pgx.Tx, a asked) (any, int64, error) {
		s, err := unconfirmed.Read(c.Ctx(), tx, c.Actor().Workspace, a.Campaign.ID)
		return unconfirmedView{a, s}, s.Open, err
	}}
}

// decideUnconfirmed carries out the decision of the button.
func decideUnconfirmed(c *front.Call) error {
	do, done := unconfirmed.Close, "campaign.flash.unconfirmed_closed"
	switch c.Form().Get("decision") {
	case "resend":
		do, done = unconfirmed.Resend, "campaign.flash.resent"
	case "close":
	default: // neither can be taken back, so none is guessed
		return errs.New("field.invalid")
	}
	return aboutUnconfirmed().decide(c, done, func(tx pgx.Tx, campaign id.Campaign, expected int64) (int64, error) {
		out, err := do(c.Ctx(), tx, c.Actor(), campaign, expected)
		return out.Messages, err
	})
}
