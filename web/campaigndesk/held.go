package campaigndesk

import (
	"github.com/jackc/pgx/v5"

	"bareed/campaigns/pacing"
	"bareed/internal/id"
	"bareed/web/front"
)

// heldView is what Meta holds of a campaign, and asks what is to become of what
// it dropped.
type heldView struct {
	asked
	pacing.Held
}

func aboutHeld() question {
	return question{"campaign-held", func(c *front.Call, tx pgx.Tx, a asked) (any, int64, error) {
		h, err := pacing.Read(c.Ctx(), tx, c.Actor().Workspace, a.Campaign.ID)
		return heldView{a, h}, h.Dropped, err
	}}
}

// returnHeld sends anew what the page showed as dropped.
func returnHeld(c *front.Call) error {
	return aboutHeld().decide(c, "campaign.flash.returned", func(tx pgx.Tx, campaign id.Campaign, expected int64) (int64, error) {
		out, err := pacing.Return(c.Ctx(), tx, c.Actor(), campaign, expected)
		return out.Messages, err
	})
}
