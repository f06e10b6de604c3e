package campaigndesk

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// startView says when the first message of a launch leaves, and offers to take
// the launch back until then.
type startView struct {
	ID   id.Campaign
	At   time.Time
	Left int // whole seconds; 0: any moment now
	Span string
	May  bool
}

// startOf is nil unless the time to take back runs: a held campaign does not
// begin, and what began can only be stopped.
func startOf(l ui.Locale, c campaigns.Campaign, at, now time.Time, may bool) *startView {
	if c.State != campaigns.Starting || c.Paused || c.Holding {
		return nil
	}
	left := max(0, at.Sub(now).Round(time.Second))
	return &startView{ID: c.ID, At: at, Left: int(left / time.Second), Span: l.Span(left), May: may}
}

// takeBack ends a campaign of which nothing was sent. One that began meanwhile
// is not touched: whoever pressed the button is asked whether to stop it.
func (d *desk) takeBack(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	var now campaigns.Campaign
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if now, err = campaigns.End(c.Ctx(), tx, c.Actor(), campaign); err != nil {
			return err
		}
		// The run's beginning is written under the lock that End holds.
		r, err := campaigns.ReportOf(c.Ctx(), tx, c.Actor().Workspace, now)
		if err == nil && r.StartedAt != nil {
			err = errBegun
		}
		return err
	})
	if errors.Is(err, errBegun) {
		c.Flash("warning", "campaign.flash.begun", "name", now.Name)
		return c.Redirect("/campaigns/" + campaign.String() + "/stop")
	}
	if err != nil {
		return err
	}
	c.Flash("done", "campaign.flash.taken_back", "name", now.Name)
	return c.Redirect("/campaigns/" + campaign.String())
}

// errBegun undoes the ending of a campaign that already sends.
var errBegun = errors.New("the campaign has begun")
