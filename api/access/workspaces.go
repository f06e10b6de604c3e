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

func (d *Desk) getWorkspace(ctx context.Context, a accounts.Actor, _ *front.Empty) (*front.Versioned[accounts.Workspace], error) {
	out := &front.Versioned[accounts.Workspace]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.GetWorkspace(ctx, tx, a.Workspace)
		return err
	})
	out.ETag = front.ETag(out.Body)
	return out, err
}

type patchWorkspaceInput struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what was read"`
	Body    accounts.WorkspacePatch
}

func (d *Desk) patchWorkspace(ctx context.Context, a accounts.Actor, in *patchWorkspaceInput) (*front.Versioned[accounts.Workspace], error) {
	out := &front.Versioned[accounts.Workspace]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		present, err := accounts.LockWorkspace(ctx, tx, a.Workspace)
		if err != nil {
			return err
		}
		if err := front.Match(in.IfMatch, front.ETag(present), true); err != nil {
			return err
		}
		out.Body, err = accounts.PatchWorkspace(ctx, tx, a, in.Body)
		return err
	})
	out.ETag = front.ETag(out.Body)
	return out, err
}
