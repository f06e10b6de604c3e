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

func workspaceTag(w accounts.Workspace) string { return front.ETag(w) }

func (d *Desk) getWorkspace(ctx context.Context, a accounts.Actor, _ *front.Empty) (*front.Versioned[accounts.Workspace], error) {
	return front.AnswerTagged(ctx, d.Front, a, workspaceTag, func(tx pgx.Tx) (accounts.Workspace, error) {
		return accounts.GetWorkspace(ctx, tx, a.Workspace)
	})
}

type patchWorkspaceInput struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what was read"`
	Body    accounts.WorkspacePatch
}

func (d *Desk) patchWorkspace(ctx context.Context, a accounts.Actor, in *patchWorkspaceInput) (*front.Versioned[accounts.Workspace], error) {
	return front.AnswerChange(ctx, d.Front, a, workspaceTag, in.IfMatch,
		func(tx pgx.Tx) (accounts.Workspace, error) { return accounts.LockWorkspace(ctx, tx, a.Workspace) },
		func(tx pgx.Tx, _ accounts.Workspace) (accounts.Workspace, error) {
			return accounts.PatchWorkspace(ctx, tx, a, in.Body)
		})
}
