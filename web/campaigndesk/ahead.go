package campaigndesk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/capacity"
	"bareed/campaigns/forecast"
	"bareed/campaigns/outlook"
	"bareed/campaigns/waves"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/web/ahead"
	"bareed/web/front"
)

// foresee says when a running campaign ends: at its speed now while there are
// places for everybody who waits and no wave holds them up, else by the forecast,
// which also knows when the places come back and how long waves are watched.
func (d *desk) foresee(c *front.Call, tx pgx.Tx, v *paceView, r campaigns.Report, now time.Time) error {
	waiting := r.Ready + r.Sending
	if waiting == 0 || !r.Planned {
		return nil
	}
	ctx, ws := c.Ctx(), c.Actor().Workspace
	campaign, err := campaigns.Get(ctx, tx, ws, r.CampaignID)
	if err != nil {
		return err
	}
	p, err := numbers.GetPortfolio(ctx, tx, campaign.Portfolio())
	if err != nil {
		return err
	}
	left, err := waves.Ahead(ctx, tx, ws, campaign.ID, r.RunID, waiting, d.limits)
	if err != nil {
		return err
	}
	if enough(p, waiting) && len(left) == 0 {
		if v.PerMinute > 0 {
			finish := now.Add(time.Duration(float64(waiting) / float64(v.PerMinute) * float64(time.Minute)))
			v.Finish = &finish
		}
		return nil
	}
	o, err := outlookOf(ctx, tx, ws, campaign, waiting, left)
	if err != nil || !o.Known {
		return err
	}
	f := forecast.Predict(o.Input)
	v.Finish = f.Stays.EndsAt
	if f.Stays.Waits || len(left) == 0 {
		v.Ahead = ahead.Of(c.Locale(), &f, o.Input.Now, "ahead")
	}
	return nil
}

// outlookOf reads what the forecast of those who still wait is made of.
func outlookOf(ctx context.Context, tx pgx.Tx, ws id.Workspace, c campaigns.Campaign, waiting int64, left []forecast.Wave) (outlook.Outlook, error) {
	n, err := numbers.Get(ctx, tx, ws, c.NumberID)
	if err != nil {
		return outlook.Outlook{}, err
	}
	stands, err := capacity.Get(ctx, tx, ws, c.ID)
	if err != nil {
		return outlook.Outlook{}, err
	}
	return outlook.Read(ctx, tx, ws, outlook.Asked{Campaign: c.ID, Number: n, Rules: c.Rules, PerMinute: c.PerMinute, People: waiting,
		Waves: left, Priority: stands.Priority, Share: stands.Share})
}

// enough tells whether everybody who waits has a place now.
func enough(p numbers.Portfolio, waiting int64) bool {
	if !p.Known {
		return true // nothing can be foretold: its speed is all there is
	}
	return p.Limit == nil || forecast.Usable(int64(*p.Limit), float64(p.Reserve))-p.Used >= waiting
}
