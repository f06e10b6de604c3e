// Package waves owns the routes about what holds a campaign by rule: the breaker's
// policy of the workspace and of a campaign, a campaign's waves with what is
// measured, and the messages that Meta holds.
//
// api registers it. The rules are in campaigns/breaker, campaigns/waves and
// campaigns/pacing.
package waves

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/pacing"
	"bareed/campaigns/waves"
	"bareed/internal/id"
)

// Routes is the package's part of the table of what can be called.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /v1/breaker", Action: accounts.ReadWorkspace, Status: 200, Doc: "What holds a campaign by rule in this workspace"},
		{Route: "PUT /v1/breaker", Action: accounts.OverrideStops, Status: 200, Doc: "Set the workspace's rules; If-Match is needed"},
		{Route: "GET /v1/campaigns/{campaign}/breaker", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Doc: "What holds this campaign by rule"},
		{Route: "PUT /v1/campaigns/{campaign}/breaker", Action: accounts.OverrideStops, Status: 200, Object: "campaign", Doc: "Set rules of its own; If-Match is needed"},
		{Route: "GET /v1/campaigns/{campaign}/waves", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "Its waves, what the next one waits for, and what is measured"},
		{Route: "GET /v1/campaigns/{campaign}/held", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "The messages that Meta holds or dropped"},
		{Route: "POST /v1/campaigns/{campaign}/held/return", Action: accounts.OverrideStops, Status: 200, Object: "campaign", Key: true, Doc: "Send what Meta dropped anew"},
	}
}

// desk holds the handlers.
type desk struct {
	*front.Front
	limits breaker.Limits
}

// Register adds every route of the package; limits are the operator's.
func Register(f *front.Front, limits breaker.Limits) {
	d := &desk{f, limits}
	front.Add(f, "GET /v1/breaker", d.getWorkspace)
	front.Add(f, "PUT /v1/breaker", d.putWorkspace)
	front.Add(f, "GET /v1/campaigns/{campaign}/breaker", d.getCampaign)
	front.Add(f, "PUT /v1/campaigns/{campaign}/breaker", d.putCampaign)
	front.Add(f, "GET /v1/campaigns/{campaign}/waves", d.waves)
	front.Add(f, "GET /v1/campaigns/{campaign}/held", d.held)
	front.Add(f, "POST /v1/campaigns/{campaign}/held/return", d.giveBack)
}

type rulesOutput = front.Versioned[waves.Breaker]

func tag(r waves.Breaker) string { return front.ETag(r.Version) }

func (d *desk) getWorkspace(ctx context.Context, a accounts.Actor, _ *front.Empty) (*rulesOutput, error) {
	return d.get(ctx, a, id.Campaign{})
}

type campaignInput struct {
	Campaign id.Campaign `path:"campaign"`
}

func (d *desk) getCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*rulesOutput, error) {
	return d.get(ctx, a, in.Campaign)
}

func (d *desk) get(ctx context.Context, a accounts.Actor, campaign id.Campaign) (*rulesOutput, error) {
	return front.AnswerTagged(ctx, d.Front, a, tag, func(tx pgx.Tx) (waves.Breaker, error) { return d.read(ctx, tx, a, campaign) })
}

// read refuses a campaign that is not the workspace's.
func (d *desk) read(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign) (waves.Breaker, error) {
	if !campaign.IsZero() {
		if err := campaigns.Exists(ctx, tx, a.Workspace, campaign); err != nil {
			return waves.Breaker{}, err
		}
	}
	return waves.ReadRules(ctx, tx, a.Workspace, campaign, d.limits)
}

type putWorkspaceInput struct {
	IfMatch string             `header:"If-Match" doc:"The ETag of what was read"`
	Body    breaker.Thresholds `doc:"What is left out is the default."`
}

func (d *desk) putWorkspace(ctx context.Context, a accounts.Actor, in *putWorkspaceInput) (*rulesOutput, error) {
	return d.put(ctx, a, id.Campaign{}, in.IfMatch, in.Body)
}

type putCampaignInput struct {
	Campaign id.Campaign        `path:"campaign"`
	IfMatch  string             `header:"If-Match" doc:"The ETag of what was read"`
	Body     breaker.Thresholds `doc:"What is left out is the workspace's."`
}

func (d *desk) putCampaign(ctx context.Context, a accounts.Actor, in *putCampaignInput) (*rulesOutput, error) {
	return d.put(ctx, a, in.Campaign, in.IfMatch, in.Body)
}

func (d *desk) put(ctx context.Context, a accounts.Actor, campaign id.Campaign, match string, s breaker.Thresholds) (*rulesOutput, error) {
	return front.AnswerChange(ctx, d.Front, a, tag, match,
		func(tx pgx.Tx) (waves.Breaker, error) { return d.read(ctx, tx, a, campaign) },
		func(tx pgx.Tx, present waves.Breaker) (waves.Breaker, error) {
			return waves.PutRules(ctx, tx, a, campaign, present, s, d.limits)
		})
}

func (d *desk) waves(ctx context.Context, a accounts.Actor, in *campaignInput) (*front.Reply[waves.Course], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (waves.Course, error) { return waves.Read(ctx, tx, a.Workspace, in.Campaign, d.limits) })
}

func (d *desk) held(ctx context.Context, a accounts.Actor, in *campaignInput) (*front.Reply[pacing.Held], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (pacing.Held, error) { return pacing.Read(ctx, tx, a.Workspace, in.Campaign) })
}

type returnInput struct {
	Campaign id.Campaign `path:"campaign"`
	Body     struct {
		Expected int64 `json:"expected" minimum:"1" doc:"dropped of what was read; any other figure is refused"`
	}
}

func (d *desk) giveBack(ctx context.Context, a accounts.Actor, in *returnInput) (*front.Reply[pacing.Returned], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (pacing.Returned, error) {
		return pacing.Return(ctx, tx, a, in.Campaign, in.Body.Expected)
	})
}
