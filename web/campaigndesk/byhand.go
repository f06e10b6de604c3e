package campaigndesk

import (
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// question is a page that asks a person what is to become of messages, which it
// counts.
type question struct {
	page string // its template
	// read makes what the page shows, and counts the messages it asks about.
	read func(c *front.Call, tx pgx.Tx, a asked) (view any, n int64, err error)
}

// asked is whom every question asks about which campaign.
type asked struct {
	Campaign campaigns.Campaign
	May      bool // this reader decides
}

// put makes the view, and the number of messages as the form carries it.
func (q question) put(c *front.Call) (view any, expected string, err error) {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return nil, "", err
	}
	var n int64
	err = c.InWorkspace(func(tx pgx.Tx) error {
		now, err := campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, campaign)
		if err != nil {
			return err
		}
		view, n, err = q.read(c, tx, asked{now, c.Can(accounts.OverrideStops)})
		return err
	})
	return view, strconv.FormatInt(n, 10), err
}

func (q question) show(c *front.Call) error {
	v, expected, err := q.put(c)
	if err != nil {
		return err
	}
	return c.Render(q.page, v, front.WithForm(ui.NewForm(url.Values{"expected": {expected}})))
}

// decide carries out what was decided about as many messages as the page showed,
// and says done with the number that do returns. If theirs has changed, the page
// comes again with the new one.
func (q question) decide(c *front.Call, done string, do func(tx pgx.Tx, campaign id.Campaign, expected int64) (int64, error)) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	f := c.Form()
	expected, _ := strconv.ParseInt(f.Get("expected"), 10, 64) // 0 is refused
	var n int64
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		n, err = do(tx, campaign, expected)
		return err
	})
	if err == nil {
		c.Flash("done", done, "n", strconv.FormatInt(n, 10))
		return c.Redirect("/campaigns/" + campaign.String())
	}
	if !f.Fail(c.Lang(), err, "/expected", "") {
		return err
	}
	v, now, failed := q.put(c)
	if failed != nil {
		return failed
	}
	f.Set("expected", now)
	return c.Refused(err, q.page, v, f)
}
