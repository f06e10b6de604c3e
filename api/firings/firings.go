// Package firings owns the route that lists when a campaign fired and waits to
// fire.
//
// api registers it. The rules are in campaigns/occurrence.
package firings

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/campaigns/occurrence"
	"bareed/internal/id"
)

// Register adds the package's route.
func Register(f *front.Front) {
	d := &desk{f}
	front.Add(f, "GET /v1/campaigns/{campaign}/firings", d.list)
}

type desk struct{ *front.Front }

type listInput struct {
	front.Paging
	Campaign id.Campaign `path:"campaign"`
}

func (d *desk) list(ctx context.Context, a accounts.Actor, in *listInput) (*front.List[occurrence.Firing], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	after, err := front.AfterID[id.Run](p)
	if err != nil {
		return nil, err
	}
	var rows []occurrence.Firing
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if err = campaigns.Exists(ctx, tx, a.Workspace, in.Campaign); err != nil {
			return err
		}
		rows, err = occurrence.List(ctx, tx, a.Workspace, in.Campaign, after, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, rows, func(f occurrence.Firing) string { return f.RunID.String() }), nil
}
