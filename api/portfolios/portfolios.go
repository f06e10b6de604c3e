// Package portfolios owns the routes about a messaging limit that numbers and
// campaigns share: the reserve, the shares, the calendar, and a campaign's
// priority.
//
// api registers it. The rules are in numbers/portfolios, numbers/places and
// campaigns/capacity.
package portfolios

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns/capacity"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers/portfolios"
)

// Register adds the package's routes.
func Register(f *front.Front) {
	d := &desk{f}
	front.Add(f, "GET /v1/portfolios", d.list)
	front.Add(f, "GET /v1/portfolios/{portfolio}", d.get)
	front.Add(f, "PATCH /v1/portfolios/{portfolio}", d.change)
	front.Add(f, "PUT /v1/portfolios/{portfolio}/shares/{share}", d.setShare)
	front.Add(f, "DELETE /v1/portfolios/{portfolio}/shares/{share}", d.dropShare)
	front.Add(f, "GET /v1/portfolios/{portfolio}/calendar", d.calendar)
	front.Add(f, "GET /v1/campaigns/{campaign}/priority", d.priority)
	front.Add(f, "PUT /v1/campaigns/{campaign}/priority", d.setPriority)
}

// Routes says who may call them. What is decided about a limit that workspaces
// share is a person's to decide: no key can.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /v1/portfolios", Action: accounts.ReadNumbers, Status: 200, Doc: "List business portfolios with their messaging limit"},
		{Route: "GET /v1/portfolios/{portfolio}", Action: accounts.ReadNumbers, Status: 200, Object: "portfolio", Doc: "A portfolio's limit, reserve and shares"},
		{Route: "PATCH /v1/portfolios/{portfolio}", Action: accounts.WriteNumbers, Status: 200, Object: "portfolio", Doc: "Change the reserve"},
		{Route: "PUT /v1/portfolios/{portfolio}/shares/{share}", Action: accounts.WriteNumbers, Status: 200, Object: "portfolio", Doc: "Keep places for those who name the share"},
		{Route: "DELETE /v1/portfolios/{portfolio}/shares/{share}", Action: accounts.WriteNumbers, Status: 204, Object: "portfolio", Doc: "Give a share's places back to all"},
		{Route: "GET /v1/portfolios/{portfolio}/calendar", Action: accounts.ReadNumbers, Status: 200, Object: "portfolio", Doc: "Who used and will use how many places on which day"},
		{Route: "GET /v1/campaigns/{campaign}/priority", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Doc: "Whether it goes first where places are scarce, and its share"},
		{Route: "PUT /v1/campaigns/{campaign}/priority", Action: accounts.LaunchCampaigns, Status: 200, Object: "campaign", Doc: "Change that, also while it runs"},
	}
}

type desk struct{ *front.Front }

type portfolioInput struct {
	Portfolio id.Portfolio `path:"portfolio"`
}

type portfolioReply = front.Reply[portfolios.Portfolio]

func (d *desk) list(ctx context.Context, a accounts.Actor, in *front.Paging) (*front.List[portfolios.Portfolio], error) {
	p, err := d.Page(ctx, a, *in)
	if err != nil {
		return nil, err
	}
	after, err := front.AfterID[id.Portfolio](p)
	if err != nil {
		return nil, err
	}
	var rows []portfolios.Portfolio
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		rows, err = portfolios.List(ctx, tx, a.Workspace)
		return err
	})
	if err != nil {
		return nil, err
	}
	first := 0
	for first < len(rows) && !after.IsZero() && rows[first].ID.String() <= after.String() {
		first++
	}
	rows = rows[first:min(len(rows), first+p.Limit+1)]
	return front.Listed(ctx, d.Front, a, p, rows, func(x portfolios.Portfolio) string { return x.ID.String() }), nil
}

func (d *desk) get(ctx context.Context, a accounts.Actor, in *portfolioInput) (*portfolioReply, error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (portfolios.Portfolio, error) { return portfolios.Get(ctx, tx, in.Portfolio) })
}

type changeInput struct {
	Portfolio id.Portfolio `path:"portfolio"`
	Body      struct {
		Reserve float64 `json:"reserve" doc:"Part of the limit kept free for other tools, 0 to 0.9"`
	}
}

func (d *desk) change(ctx context.Context, a accounts.Actor, in *changeInput) (*portfolioReply, error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (portfolios.Portfolio, error) {
		return portfolios.SetReserve(ctx, tx, a, in.Portfolio, in.Body.Reserve)
	})
}

type shareInput struct {
	Portfolio id.Portfolio `path:"portfolio"`
	Share     string       `path:"share" doc:"1 to 40 small letters, digits, - and _"`
}

type setShareInput struct {
	Portfolio id.Portfolio `path:"portfolio"`
	Share     string       `path:"share" doc:"1 to 40 small letters, digits, - and _"`
	Body      struct {
		Places int      `json:"places" doc:"How many people in 24 hours are kept for it"`
		Kinds  []string `json:"kinds,omitempty" doc:"Messages of these kinds take from it unasked: api, reply, test"`
	}
}

func (d *desk) setShare(ctx context.Context, a accounts.Actor, in *setShareInput) (*portfolioReply, error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (portfolios.Portfolio, error) {
		return portfolios.SetShare(ctx, tx, a, in.Portfolio, portfolios.Share{Name: in.Share, Places: in.Body.Places, Kinds: in.Body.Kinds})
	})
}

func (d *desk) dropShare(ctx context.Context, a accounts.Actor, in *shareInput) (*front.Empty, error) {
	return nil, d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return portfolios.DropShare(ctx, tx, a, in.Portfolio, in.Share)
	})
}

type calendarInput struct {
	Portfolio id.Portfolio `path:"portfolio"`
	Past      int          `query:"past" default:"7" minimum:"0" maximum:"60" doc:"Days before today"`
	Coming    int          `query:"coming" default:"7" minimum:"1" maximum:"60" doc:"Today and days after it"`
}

func (d *desk) calendar(ctx context.Context, a accounts.Actor, in *calendarInput) (*front.Reply[capacity.Calendar], error) {
	out := &front.Reply[capacity.Calendar]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		w, err := accounts.GetWorkspace(ctx, tx, a.Workspace)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(w.Zone)
		if err != nil {
			return errs.New("zone.unknown", "zone", w.Zone)
		}
		out.Body, err = capacity.Read(ctx, tx, d.Pool.Engine(), a.Workspace, in.Portfolio, zone, capacity.Span{Past: in.Past, Coming: in.Coming})
		return err
	})
	return out, err
}

type campaignInput struct {
	Campaign id.Campaign `path:"campaign"`
}

type standingReply = front.Reply[capacity.CampaignPriority]

func (d *desk) priority(ctx context.Context, a accounts.Actor, in *campaignInput) (*standingReply, error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (capacity.CampaignPriority, error) {
		return capacity.Get(ctx, tx, a.Workspace, in.Campaign)
	})
}

type setPriorityInput struct {
	Campaign id.Campaign `path:"campaign"`
	Body     struct {
		Priority string `json:"priority" doc:"high, normal or low: who goes first where places under the limit are scarce"`
		Share    string `json:"share,omitempty" doc:"The portfolio's share to take places from; left out: those open to all"`
	}
}

func (d *desk) setPriority(ctx context.Context, a accounts.Actor, in *setPriorityInput) (*standingReply, error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (capacity.CampaignPriority, error) {
		return capacity.Set(ctx, tx, a, in.Campaign, in.Body.Priority, in.Body.Share)
	})
}
