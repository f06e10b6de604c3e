package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
)

func (d *Desk) workspaces() {
	front.Add(d.Front, "GET /v1/workspace", d.getWorkspace)
	front.Add(d.Front, "PATCH /v1/workspace", d.patchWorkspace)
}

func (d *Desk) getWorkspace(ctx context.Context, a accounts.Actor, _ *front.Empty) (*front.Reply[accounts.Workspace], error) {
	out := &front.Reply[accounts.Workspace]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.GetWorkspace(ctx, tx, a.Workspace)
		return err
	})
	return out, err
}

type patchWorkspaceInput struct {
	Body accounts.WorkspacePatch
}

func (d *Desk) patchWorkspace(ctx context.Context, a accounts.Actor, in *patchWorkspaceInput) (*front.Reply[accounts.Workspace], error) {
	out := &front.Reply[accounts.Workspace]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.PatchWorkspace(ctx, tx, a, in.Body)
		return err
	})
	return out, err
}
