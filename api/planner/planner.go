// Package planner owns the route that plans how a portfolio earns a higher
// messaging limit, for a list of any size.
//
// api registers it. The rules are in campaigns/growth, the figures come from
// campaigns/outlook.
package planner

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns/growth"
	"bareed/campaigns/outlook"
	"bareed/internal/id"
	"bareed/numbers"
)

// Register adds the package's route.
func Register(f *front.Front) {
	d := &desk{f}
	front.Add(f, "GET /v1/numbers/{number}/growth", d.growth)
}

type desk struct{ *front.Front }

type growthInput struct {
	Number id.Number `path:"number"`
	People int64     `query:"people" default:"10000" minimum:"0" maximum:"10000000" doc:"How many the list has"`
	Fresh  int64     `query:"fresh" minimum:"0" maximum:"10000000" doc:"Of those, who consented within the last 90 days; they go first"`
	Target int64     `query:"target" minimum:"0" maximum:"100000" doc:"No further than this limit; as far as the list needs when not given"`
}

func (d *desk) growth(ctx context.Context, a accounts.Actor, in *growthInput) (*front.Reply[growth.Growth], error) {
	out := &front.Reply[growth.Growth]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		n, err := numbers.Get(ctx, tx, a.Workspace, in.Number)
		if err != nil {
			return err
		}
		o, err := outlook.Read(ctx, tx, a.Workspace, outlook.Asked{Number: n, People: in.People})
		if err == nil {
			out.Body = o.Growth(in.Fresh, in.Target)
		}
		return err
	})
	return out, err
}
