// Package caps owns the routes about what a workspace keeps from its people and
// its purse: the sending rules, a campaign's leave to pass them, and budgets.
//
// api registers it. The rules are in campaigns/caps and billing/budget.
package caps

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/billing"
	"bareed/billing/budget"
	"bareed/campaigns/caps"
	"bareed/internal/id"
)

// Routes is the package's part of the table of what can be called.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /v1/sending-rules", Action: accounts.ReadWorkspace, Status: 200, Doc: "How often people may get marketing, and where nothing goes"},
		{Route: "PUT /v1/sending-rules", Action: accounts.OverrideStops, Status: 200, Doc: "Set the sending rules; If-Match is needed"},
		{Route: "GET /v1/campaigns/{campaign}/frequency", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Doc: "Whether a campaign may pass the frequency rules"},
		{Route: "PUT /v1/campaigns/{campaign}/frequency", Action: accounts.OverrideStops, Status: 200, Object: "campaign", Doc: "Let a campaign pass the frequency rules, or no longer"},
		{Route: "GET /v1/budget", Action: accounts.ReadBilling, Status: 200, Doc: "The budget of the month and what of it is left"},
		{Route: "PUT /v1/budget", Action: accounts.WriteBilling, Status: 200, Doc: "Set the budget of a month; If-Match is needed"},
		{Route: "GET /v1/campaigns/{campaign}/budget", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Doc: "A campaign's own budget"},
		{Route: "PUT /v1/campaigns/{campaign}/budget", Action: accounts.WriteCampaigns, Status: 200, Object: "campaign", Doc: "Set a campaign's own budget; If-Match is needed"},
	}
}

// desk holds the handlers.
type desk struct {
	*front.Front
	operator []string
}

// Register adds every route of the package; operator are the countries that the
// operator blocks.
func Register(f *front.Front, operator []string) {
	d := &desk{f, operator}
	front.Add(f, "GET /v1/sending-rules", d.getRules)
	front.Add(f, "PUT /v1/sending-rules", d.putRules)
	front.Add(f, "GET /v1/campaigns/{campaign}/frequency", d.getPass)
	front.Add(f, "PUT /v1/campaigns/{campaign}/frequency", d.putPass)
	front.Add(f, "GET /v1/budget", d.getMonth)
	front.Add(f, "PUT /v1/budget", d.putMonth)
	front.Add(f, "GET /v1/campaigns/{campaign}/budget", d.getCampaign)
	front.Add(f, "PUT /v1/campaigns/{campaign}/budget", d.putCampaign)
}

func rulesTag(r caps.SendingRules) string { return front.ETag(r.Version) }

func (d *desk) getRules(ctx context.Context, a accounts.Actor, _ *front.Empty) (*front.Versioned[caps.SendingRules], error) {
	return front.AnswerTagged(ctx, d.Front, a, rulesTag, func(tx pgx.Tx) (caps.SendingRules, error) { return caps.Read(ctx, tx, a.Workspace, d.operator) })
}

type putRulesInput struct {
	IfMatch string               `header:"If-Match" doc:"The ETag of what was read"`
	Body    caps.SendingSettings `doc:"In place of what was set."`
}

func (d *desk) putRules(ctx context.Context, a accounts.Actor, in *putRulesInput) (*front.Versioned[caps.SendingRules], error) {
	return front.AnswerChange(ctx, d.Front, a, rulesTag, in.IfMatch,
		func(tx pgx.Tx) (caps.SendingRules, error) { return caps.Read(ctx, tx, a.Workspace, d.operator) },
		func(tx pgx.Tx, was caps.SendingRules) (caps.SendingRules, error) {
			return caps.Put(ctx, tx, a, was, in.Body)
		})
}

type campaignInput struct {
	Campaign id.Campaign `path:"campaign"`
}

func (d *desk) getPass(ctx context.Context, a accounts.Actor, in *campaignInput) (*front.Reply[caps.Pass], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (caps.Pass, error) { return caps.ReadPass(ctx, tx, a.Workspace, in.Campaign) })
}

type putPassInput struct {
	Campaign id.Campaign `path:"campaign"`
	Body     struct {
		Pass   bool   `json:"pass"`
		Reason string `json:"reason,omitempty" maxLength:"2000" doc:"Why, 10 to 500 characters; kept in the audit. Needed to pass."`
	}
}

func (d *desk) putPass(ctx context.Context, a accounts.Actor, in *putPassInput) (*front.Reply[caps.Pass], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (caps.Pass, error) {
		return caps.SetPass(ctx, tx, a, in.Campaign, in.Body.Pass, in.Body.Reason)
	})
}

func monthTag(m budget.Month) string { return front.ETag(m.Version) }

func (d *desk) getMonth(ctx context.Context, a accounts.Actor, _ *front.Empty) (*front.Versioned[budget.Month], error) {
	return front.AnswerTagged(ctx, d.Front, a, monthTag, func(tx pgx.Tx) (budget.Month, error) { return budget.GetMonth(ctx, tx, a.Workspace) })
}

// amountBody is what a budget is set to.
type amountBody struct {
	Amount *billing.Money `json:"amount,omitempty" doc:"In the currency of the rate card; left out: no budget"`
}

type putMonthInput struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what was read"`
	Body    amountBody
}

func (d *desk) putMonth(ctx context.Context, a accounts.Actor, in *putMonthInput) (*front.Versioned[budget.Month], error) {
	read := func(tx pgx.Tx) (budget.Month, error) { return budget.GetMonth(ctx, tx, a.Workspace) }
	return front.AnswerChange(ctx, d.Front, a, monthTag, in.IfMatch, read, func(tx pgx.Tx, was budget.Month) (budget.Month, error) {
		if err := budget.PutMonth(ctx, tx, a, was.Budget, in.Body.Amount); err != nil {
			return was, err
		}
		return read(tx)
	})
}

func campaignTag(c budget.OfCampaign) string { return front.ETag(c.Version) }

func (d *desk) getCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*front.Versioned[budget.OfCampaign], error) {
	return front.AnswerTagged(ctx, d.Front, a, campaignTag, func(tx pgx.Tx) (budget.OfCampaign, error) {
		return budget.GetCampaign(ctx, tx, a.Workspace, in.Campaign)
	})
}

type putCampaignInput struct {
	Campaign id.Campaign `path:"campaign"`
	IfMatch  string      `header:"If-Match" doc:"The ETag of what was read"`
	Body     amountBody
}

func (d *desk) putCampaign(ctx context.Context, a accounts.Actor, in *putCampaignInput) (*front.Versioned[budget.OfCampaign], error) {
	return front.AnswerChange(ctx, d.Front, a, campaignTag, in.IfMatch,
		func(tx pgx.Tx) (budget.OfCampaign, error) {
			return budget.GetCampaign(ctx, tx, a.Workspace, in.Campaign)
		},
		func(tx pgx.Tx, was budget.OfCampaign) (budget.OfCampaign, error) {
			return budget.PutCampaign(ctx, tx, a, was, in.Body.Amount)
		})
}
