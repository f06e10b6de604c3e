package campaigndesk

import (
	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/internal/id"
	"bareed/web/front"
)

// duplicateCampaign makes a draft like it and opens the draft.
func (d *desk) duplicateCampaign(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	var first, made campaigns.Campaign
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if first, err = campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, campaign); err != nil {
			return err
		}
		made, err = campaigns.Duplicate(c.Ctx(), tx, c.Actor(), campaign, c.T("campaign.copy"))
		return err
	})
	if err != nil {
		return err
	}
	done := "campaign.flash.duplicated"
	if first.Schedule != nil && made.Schedule == nil {
		done = "campaign.flash.duplicated.past"
	}
	c.Flash("done", done, "name", first.Name)
	return c.Redirect("/campaigns/" + made.ID.String() + "/edit/message")
}
