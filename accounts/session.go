package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlEndSession = `
	update session
	set ended_at = bareed_now()
	where id = $1
	  and ended_at is null`

// SignOut ends the session; its token is refused from then on.
func SignOut(ctx context.Context, pool *pg.Pool, who Identity) error {
	return inOwn(ctx, pool, who, Deed{Action: "session.ended", Subject: who.Session.String()}, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlEndSession, who.Session)
		return err
	})
}

// inOwn runs fn as the user and records the deed in the workspace in use.
func inOwn(ctx context.Context, pool *pg.Pool, who Identity, d Deed, fn func(tx pgx.Tx) error) error {
	err := pool.AsUser(ctx, who.User, func(tx pgx.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if who.Actor.Workspace.IsZero() {
			return nil
		}
		if err := pg.Enter(ctx, tx, who.Actor.Workspace); err != nil {
			return err
		}
		return Audit(ctx, tx, who.Actor, d)
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", d.Action, err)
	}
	return nil
}

const sqlUseWorkspace = `
	update session
	set workspace_id = $2
	where id = $1`

// UseWorkspace makes the session work in another of the user's workspaces;
// ref.not_found for one the user is not a member of.
func UseWorkspace(ctx context.Context, pool *pg.Pool, who Identity, ws id.Workspace) error {
	var next Identity
	err := pool.Engine().QueryRow(ctx, sqlFirstWorkspace, who.User, ws).
		Scan(&next.Actor.Workspace, &next.Actor.Role, &next.Actor.Live, &next.Suspended)
	if errors.Is(err, pgx.ErrNoRows) || ws.IsZero() {
		return errs.New("ref.not_found").At("/workspace", "")
	}
	if err != nil {
		return fmt.Errorf("find the workspace: %w", err)
	}
	return inOwn(ctx, pool, who, Deed{Action: "session.moved", Subject: who.Session.String()}, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlUseWorkspace, who.Session, ws)
		return err
	})
}

const sqlEndSessions = `
	update session
	set ended_at = bareed_now()
	where user_id = $1
	  and ended_at is null`

const sqlPassword = `
	select u.password_hash, o.name
	from user_account u
	join organisation o on o.id = u.organisation_id
	where u.id = $1`

// ChangePassword sets a new password after checking the present one, and ends
// every session of the user, this one too. Wrong tries count like sign-ins.
func ChangePassword(ctx context.Context, pool *pg.Pool, h *Hasher, who Identity, old, fresh string) error {
	account, address := "a:"+digest(who.Email), "n:"+who.Actor.Address
	if err := countTry(ctx, pool, account, address); err != nil {
		return err
	}
	var phc, organisation string
	if err := pool.Engine().QueryRow(ctx, sqlPassword, who.User).Scan(&phc, &organisation); err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	ok, _, err := h.Verify(ctx, phc, old)
	if err != nil {
		return err
	}
	if !ok {
		return errs.New("password.wrong").At("/current", "")
	}
	if err := CheckPassword(fresh, organisation, who.Name, who.Email); err != nil {
		return err.At("/new", "")
	}
	if phc, err = h.Hash(ctx, fresh); err != nil {
		return err
	}
	if err := forgetTries(ctx, pool, account, address); err != nil {
		return err
	}
	return inOwn(ctx, pool, who, Deed{Action: "password.changed", Subject: who.User.String()}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlSetPassword, who.User, phc); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlEndSessions, who.User)
		return err
	})
}

// WorkspaceRole is a workspace somebody is a member of.
type WorkspaceRole struct {
	ID   id.Workspace `json:"id"`
	Name string       `json:"name"`
	Role Role         `json:"role"`
}

const sqlWorkspacesOf = `
	select m.workspace_id, w.name, m.role
	from membership m
	join workspace w on w.workspace_id = m.workspace_id
	where m.user_id = $1
	order by w.name, m.workspace_id`

// WorkspacesOf lists where a user is a member.
func WorkspacesOf(ctx context.Context, pool *pg.Pool, user id.User) ([]WorkspaceRole, error) {
	return pg.All(ctx, pool.Engine(), "list the workspaces", pgx.RowToStructByPos[WorkspaceRole], sqlWorkspacesOf, user)
}

const sqlSetLanguage = `
	update user_account
	set language = $2
	where id = $1`

// SetLanguage keeps the language of a person's pages and mails, "en" or "ar".
func SetLanguage(ctx context.Context, pool *pg.Pool, who Identity, lang string) error {
	if lang != "en" && lang != "ar" {
		return errs.New("invalid").At("/language", "field.one_of", "allowed", "en, ar")
	}
	if _, err := pool.App().Exec(ctx, sqlSetLanguage, who.User, lang); err != nil {
		return fmt.Errorf("set the language: %w", err)
	}
	return nil
}
