package api

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/id"
)

func (s *Server) audiences() {
	add(s, "GET /v1/audiences", s.listAudiences)
	add(s, "POST /v1/audiences", s.createAudience)
	add(s, "GET /v1/audiences/{audience}", s.getAudience)
	add(s, "DELETE /v1/audiences/{audience}", s.deleteAudience)
}

type audienceInput struct {
	Audience id.Audience `path:"audience"`
}

func (s *Server) listAudiences(ctx context.Context, a accounts.Actor, in *Paging) (*list[contacts.Audience], error) {
	p, err := s.page(ctx, a, *in)
	if err != nil {
		return nil, err
	}
	before, err := afterID[id.Audience](p)
	if err != nil {
		return nil, err
	}
	var rows []contacts.Audience
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		rows, err = contacts.ListAudiences(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, a, p, rows, func(x contacts.Audience) string { return x.ID.String() }), nil
}

type createAudienceInput struct {
	Body struct {
		Name string `json:"name" doc:"Unique in the workspace, at most 200 characters"`
	}
}

func (s *Server) createAudience(ctx context.Context, a accounts.Actor, in *createAudienceInput) (*created[contacts.Audience], error) {
	out := &created[contacts.Audience]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = contacts.CreateAudience(ctx, tx, a, in.Body.Name)
		return err
	})
	out.Location = "/v1/audiences/" + out.Body.ID.String()
	return out, err
}

func (s *Server) getAudience(ctx context.Context, a accounts.Actor, in *audienceInput) (*reply[contacts.Audience], error) {
	out := &reply[contacts.Audience]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = contacts.GetAudience(ctx, tx, a.Workspace, in.Audience)
		return err
	})
	return out, err
}

func (s *Server) deleteAudience(ctx context.Context, a accounts.Actor, in *audienceInput) (*empty, error) {
	return nil, s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return contacts.DeleteAudience(ctx, tx, a, in.Audience)
	})
}
