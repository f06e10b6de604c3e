package api

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
)

func (s *Server) workspaces() {
	add(s, "GET /v1/workspace", s.getWorkspace)
	add(s, "PATCH /v1/workspace", s.patchWorkspace)
}

func (s *Server) getWorkspace(ctx context.Context, a accounts.Actor, _ *empty) (*reply[accounts.Workspace], error) {
	out := &reply[accounts.Workspace]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.GetWorkspace(ctx, tx, a.Workspace)
		return err
	})
	return out, err
}

type patchWorkspaceInput struct {
	Body accounts.WorkspacePatch
}

func (s *Server) patchWorkspace(ctx context.Context, a accounts.Actor, in *patchWorkspaceInput) (*reply[accounts.Workspace], error) {
	out := &reply[accounts.Workspace]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.PatchWorkspace(ctx, tx, a, in.Body)
		return err
	})
	return out, err
}
