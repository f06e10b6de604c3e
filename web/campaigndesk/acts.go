package campaigndesk

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/guard"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// act runs one of a campaign's actions, says so on the next page and goes back
// to where the button was.
func act(c *front.Call, done string, do func(tx pgx.Tx, campaign id.Campaign) (campaigns.Campaign, error)) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	var now campaigns.Campaign
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		now, err = do(tx, campaign)
		return err
	})
	if err != nil {
		return err
	}
	if done == "campaign.flash.resumed" && (now.Paused || now.Holding) {
		c.Flash("warning", "campaign.flash.still_held", "name", now.Name)
	} else {
		c.Flash("done", done, "name", now.Name)
	}
	if back := c.Back(); back != "/" {
		return c.Redirect(back)
	}
	return c.Redirect("/campaigns/" + campaign.String())
}

func (d *desk) pauseCampaign(c *front.Call) error {
	return act(c, "campaign.flash.paused", func(tx pgx.Tx, campaign id.Campaign) (campaigns.Campaign, error) {
		return campaigns.Pause(c.Ctx(), tx, c.Actor(), campaign)
	})
}

func (d *desk) stopCampaign(c *front.Call) error {
	return act(c, "campaign.flash.stopped", func(tx pgx.Tx, campaign id.Campaign) (campaigns.Campaign, error) {
		return campaigns.End(c.Ctx(), tx, c.Actor(), campaign)
	})
}

// confirmView asks before a stop or a resume.
type confirmView struct {
	Campaign campaigns.Campaign
	Waiting  int64
	Stops    []stopView
	Holds    bool         // a rule's stop could be cleared here
	Override bool         // by this reader
	Some     bool         // this reader can clear something here
	Template *guard.State // what changed in it; nil: nothing, or never launched
}

func confirmation(c *front.Call) (v confirmView, err error) {
	err = c.InWorkspace(func(tx pgx.Tx) error {
		now, r, err := launched(c, tx)
		v.Campaign, v.Waiting = now, max(r.Ready+r.Sending, r.Expected-r.Total+r.Ready+r.Sending)
		if err != nil {
			return err
		}
		v.Template, err = changedTemplate(c, tx, now)
		return err
	})
	v.Stops, v.Override = stopsOf(c.Locale(), v.Campaign.ID, v.Campaign.Stops, v.Waiting), c.Can(accounts.OverrideStops)
	for _, x := range v.Stops {
		v.Holds = v.Holds || x.Clearable
		v.Some = v.Some || x.Stop.Next == "waits_for_resume" || x.Clearable && v.Override
	}
	return v, err
}

func (d *desk) stopPage(c *front.Call) error {
	v, err := confirmation(c)
	if err != nil {
		return err
	}
	return c.Render("campaign-stop", v)
}

func (d *desk) resumePage(c *front.Call) error {
	v, err := confirmation(c)
	if err != nil {
		return err
	}
	return c.Render("campaign-resume", v, front.WithForm(ui.NewForm(nil)))
}

// resumeCampaign clears the pause, and the rules' stops that were ticked.
func (d *desk) resumeCampaign(c *front.Call) error {
	f := c.Form()
	q := campaigns.ResumeRequest{Reason: f.Get("reason")}
	for _, text := range f.Values["stop"] {
		if stop, err := id.Parse[id.Stop](text); err == nil {
			q.Stops = append(q.Stops, stop)
		}
	}
	err := act(c, "campaign.flash.resumed", func(tx pgx.Tx, campaign id.Campaign) (campaigns.Campaign, error) {
		return campaigns.Resume(c.Ctx(), tx, c.Actor(), campaign, q)
	})
	if err == nil || !f.Fail(c.Lang(), err) {
		return err
	}
	v, failed := confirmation(c)
	if failed != nil {
		return failed
	}
	return c.Refused(err, "campaign-resume", v, f)
}

// changedTemplate is what Meta changed in a template since it was approved, while that
// holds the campaign.
func changedTemplate(c *front.Call, tx pgx.Tx, now campaigns.Campaign) (*guard.State, error) {
	if !slices.ContainsFunc(now.Stops, func(s campaigns.Stop) bool { return s.Reason == guard.Reason }) || now.RunID.IsZero() {
		return nil, nil
	}
	state, err := guard.Of(c.Ctx(), tx, c.Actor().Workspace, now.ID)
	if err != nil || len(state.Differences) == 0 {
		return nil, err
	}
	return &state, nil
}
