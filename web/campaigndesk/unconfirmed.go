package campaigndesk

import (
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/unconfirmed"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// unconfirmedView asks what is to become of messages that got no answer.
type unconfirmedView struct {
	Campaign campaigns.Campaign
	unconfirmed.Standing
	May bool // this reader decides
}

func readUnconfirmed(c *front.Call) (v unconfirmedView, err error) {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return v, err
	}
	v.May = c.Can(accounts.OverrideStops)
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v.Campaign, err = campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, campaign); err != nil {
			return err
		}
		v.Standing, err = unconfirmed.Read(c.Ctx(), tx, c.Actor().Workspace, campaign)
		return err
	})
	return v, err
}

func (d *desk) unconfirmedPage(c *front.Call) error {
	v, err := readUnconfirmed(c)
	if err != nil {
		return err
	}
	return c.Render("campaign-unconfirmed", v, front.WithForm(ui.NewForm(url.Values{"expected": {strconv.FormatInt(v.Open, 10)}})))
}

// decideUnconfirmed carries out the decision of the button, about as many
// messages as the page showed. If their number has changed, the page comes again
// with the new one.
func (d *desk) decideUnconfirmed(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	f := c.Form()
	expected, _ := strconv.ParseInt(f.Get("expected"), 10, 64) // 0 is refused
	do, done := unconfirmed.Close, "campaign.flash.unconfirmed_closed"
	switch f.Get("decision") {
	case "resend":
		do, done = unconfirmed.Resend, "campaign.flash.resent"
	case "close":
	default: // neither can be taken back, so none is guessed
		return errs.New("field.invalid")
	}
	var out unconfirmed.Decided
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		out, err = do(c.Ctx(), tx, c.Actor(), campaign, expected)
		return err
	})
	if err == nil {
		c.Flash("done", done, "n", strconv.FormatInt(out.Messages, 10))
		return c.Redirect("/campaigns/" + campaign.String())
	}
	if !f.Fail(c.Lang(), err, "/expected", "") {
		return err
	}
	v, failed := readUnconfirmed(c)
	if failed != nil {
		return failed
	}
	f.Set("expected", strconv.FormatInt(v.Open, 10))
	return c.Refused(err, "campaign-unconfirmed", v, f)
}
