package caps

import (
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing/budget"
	"bareed/campaigns"
	"bareed/campaigns/caps"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/ui"
)

// campaignView is the page of a campaign's own leave and budget.
type campaignView struct {
	Campaign  campaigns.Campaign
	Back      string // to the wizard of a draft, else to the campaign
	Marketing bool
	Pass      caps.Pass
	Budget    budget.OfCampaign
	Amount    string
	Estimate  string        // of everybody of the sending under way; empty: not known
	Month     *budget.Month // nil without one, and for those who may not see it
	MonthLeft string
	Ended     bool
	MayPass   bool
	MayBudget bool
}

func (d desk) campaignView(c *front.Call) (v campaignView, f *ui.Form, err error) {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return v, nil, err
	}
	ws, currency := c.Actor().Workspace, ""
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v.Campaign, err = campaigns.Get(c.Ctx(), tx, ws, campaign); err != nil {
			return err
		}
		if v.Pass, err = caps.ReadPass(c.Ctx(), tx, ws, campaign); err != nil {
			return err
		}
		if v.Budget, err = budget.GetCampaign(c.Ctx(), tx, ws, campaign); err != nil {
			return err
		}
		if !v.Campaign.RunID.IsZero() {
			all, err := budget.Expected(c.Ctx(), tx, ws, v.Campaign.RunID)
			if v.Estimate = money.Say(all); err != nil {
				return err
			}
		}
		if currency, err = usual(c, tx, v.Budget.Amount); err != nil || !c.Can(accounts.ReadBilling) {
			return err
		}
		m, err := budget.GetMonth(c.Ctx(), tx, ws)
		if m.Amount != nil {
			v.Month, v.MonthLeft = &m, money.Say(m.Left)
		}
		return err
	})
	if err != nil {
		return v, nil, err
	}
	v.Amount, v.Ended, v.Marketing = money.Say(v.Budget.Amount), v.Campaign.State.Ended(), v.Campaign.Purpose == "marketing"
	v.MayPass = c.Can(accounts.OverrideStops) && !v.Ended
	v.MayBudget = c.Can(accounts.WriteCampaigns) && !v.Ended && (!v.Campaign.State.Launched() || c.Can(accounts.WriteBilling))
	v.Back = "/campaigns/" + campaign.String()
	if !v.Campaign.State.Launched() && !v.Ended {
		v.Back += "/edit"
	}
	f = ui.NewForm(url.Values{"reason": {v.Pass.Reason}})
	fillBudget(f, v.Budget.Budget, currency)
	return v, f, nil
}

func (d desk) campaignPage(c *front.Call) error {
	v, f, err := d.campaignView(c)
	if err != nil {
		return err
	}
	return c.Render("campaign-caps", v, front.WithForm(f))
}

// act does what a form of the page asks for and shows the page again.
func (d desk) act(c *front.Call, done string, do func(tx pgx.Tx, f *ui.Form, campaign id.Campaign) error) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	f := c.Form().Name("reason", c.T("caps.reason")).Name("amount", c.T("caps.amount")).Name("currency", c.T("money.currency"))
	err = c.InWorkspace(func(tx pgx.Tx) error { return do(tx, f, campaign) })
	if err == nil {
		c.Flash("done", done)
		return c.Redirect("/campaigns/" + campaign.String() + "/caps")
	}
	if !f.Fail(c.Lang(), err, budgetFields()...) {
		return err
	}
	v, kept, fault := d.campaignView(c)
	if fault != nil {
		return fault
	}
	again(err, f)
	for field, values := range kept.Values {
		if !f.Values.Has(field) {
			f.Values[field] = values
		}
	}
	return c.Refused(err, "campaign-caps", v, f)
}

func (d desk) savePass(c *front.Call) error {
	return d.act(c, "caps.pass.saved", func(tx pgx.Tx, f *ui.Form, campaign id.Campaign) error {
		_, err := caps.SetPass(c.Ctx(), tx, c.Actor(), campaign, f.Get("pass") == "yes", f.Get("reason"))
		return err
	})
}

func (d desk) saveCampaign(c *front.Call) error {
	return d.act(c, "caps.budget.saved", func(tx pgx.Tx, f *ui.Form, campaign id.Campaign) error {
		was, err := budget.GetCampaign(c.Ctx(), tx, c.Actor().Workspace, campaign)
		if err != nil {
			return err
		}
		was.Version, _ = strconv.Atoi(f.Get("budget_version"))
		_, err = budget.PutCampaign(c.Ctx(), tx, c.Actor(), was, amount(c, f))
		return err
	})
}
