package accounts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

const sqlLockWorkspace = `
	select workspace_id
	from workspace
	where workspace_id = $1
	for update`

// LockWorkspace reads the settings and keeps others from changing them until tx
// ends, so that what was read is what is changed.
func LockWorkspace(ctx context.Context, tx pgx.Tx, ws id.Workspace) (Workspace, error) {
	if _, err := tx.Exec(ctx, sqlLockWorkspace, ws); err != nil {
		return Workspace{}, fmt.Errorf("lock the workspace: %w", err)
	}
	return GetWorkspace(ctx, tx, ws)
}

const sqlLockMember = `
	select role
	from membership
	where workspace_id = $1
	  and user_id = $2
	for update`

// LockMember reads a member and keeps others from changing their role until tx
// ends; not_found when there is none.
func LockMember(ctx context.Context, tx pgx.Tx, ws id.Workspace, user id.User) (Member, error) {
	if _, err := tx.Exec(ctx, sqlLockMember, ws, user); err != nil {
		return Member{}, fmt.Errorf("lock the member: %w", err)
	}
	return GetMember(ctx, tx, ws, user)
}
