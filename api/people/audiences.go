package people

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/contacts"
	"bareed/internal/id"
)

func (d *Desk) audiences() {
	front.Add(d.Front, "GET /v1/audiences", d.listAudiences)
	front.Add(d.Front, "POST /v1/audiences", d.createAudience)
	front.Add(d.Front, "GET /v1/audiences/{audience}", d.getAudience)
	front.Add(d.Front, "DELETE /v1/audiences/{audience}", d.deleteAudience)
}

type audienceInput struct {
	Audience id.Audience `path:"audience"`
}

func (d *Desk) listAudiences(ctx context.Context, a accounts.Actor, in *front.Paging) (*front.List[contacts.Audience], error) {
	p, err := d.Page(ctx, a, *in)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.Audience](p)
	if err != nil {
		return nil, err
	}
	var rows []contacts.Audience
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		rows, err = contacts.ListAudiences(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, rows, func(x contacts.Audience) string { return x.ID.String() }), nil
}

type createAudienceInput struct {
	Body struct {
		Name string `json:"name" doc:"Unique in the workspace, at most 200 characters"`
	}
}

func (d *Desk) createAudience(ctx context.Context, a accounts.Actor, in *createAudienceInput) (*front.Created[contacts.Audience], error) {
	out := &front.Created[contacts.Audience]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = contacts.CreateAudience(ctx, tx, a, in.Body.Name)
		return err
	})
	out.Location = "/v1/audiences/" + out.Body.ID.String()
	return out, err
}

func (d *Desk) getAudience(ctx context.Context, a accounts.Actor, in *audienceInput) (*front.Reply[contacts.Audience], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (contacts.Audience, error) {
		return contacts.GetAudience(ctx, tx, a.Workspace, in.Audience)
	})
}

func (d *Desk) deleteAudience(ctx context.Context, a accounts.Actor, in *audienceInput) (*front.Empty, error) {
	return nil, d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return contacts.DeleteAudience(ctx, tx, a, in.Audience)
	})
}
