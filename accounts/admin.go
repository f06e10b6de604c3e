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

// What the installation's own tool does, outside of any workspace's session.
// Its actor in the audit is system:admin.

const sqlNewOrganisation = `
	insert into organisation (id, name)
	values ($1, $2)`

// CreateOrganisation makes an organisation, which holds workspaces and people.
func CreateOrganisation(ctx context.Context, pool *pg.Pool, name string) (id.Organisation, error) {
	name, err := cleanName(name, "/name")
	if err != nil {
		return id.Organisation{}, err
	}
	org := id.New[id.Organisation]()
	if _, err := pool.App().Exec(ctx, sqlNewOrganisation, org, name); err != nil {
		return org, fmt.Errorf("create the organisation: %w", err)
	}
	return org, nil
}

// NewWorkspaceRequest is what a new workspace shall be; Zone defaults to UTC.
type NewWorkspaceRequest struct {
	Organisation id.Organisation
	Parent       id.Workspace
	Name         string
	Zone         string
	Live         bool
}

const sqlNewWorkspace = `
	insert into workspace (workspace_id, organisation_id, parent_id, name, zone, live, data_key)
	values ($1, $2, $3, $4, $5, $6, $7)`

// CreateWorkspace makes a workspace with a data key of its own.
func CreateWorkspace(ctx context.Context, pool *pg.Pool, v *Vault, r NewWorkspaceRequest) (id.Workspace, error) {
	ws := id.New[id.Workspace]()
	name, err := cleanName(r.Name, "/name")
	if err != nil {
		return ws, err
	}
	if r.Zone == "" {
		r.Zone = "UTC"
	}
	if err := checkZone(r.Zone); err != nil {
		return ws, err
	}
	key, err := v.newDataKey(ws)
	if err != nil {
		return ws, err
	}
	err = pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlNewWorkspace, ws, r.Organisation, r.Parent, name, r.Zone, r.Live, key); err != nil {
			return err
		}
		return Audit(ctx, tx, System(ws, "admin"), Deed{Action: "workspace.created", Subject: ws.String()})
	})
	if pg.Violates(err, "workspace_organisation_id_name_key") {
		return ws, errs.New("name.taken").At("/name", "")
	}
	if err != nil {
		return ws, fmt.Errorf("create the workspace: %w", err)
	}
	return ws, nil
}

const sqlSetState = `
	update workspace
	set state = $2
	where workspace_id = $1`

// SetSuspended suspends a workspace or lets it work again. A suspended one
// answers 423 to everything; the stop that keeps its messages from leaving is
// opened by the caller.
func SetSuspended(ctx context.Context, tx pgx.Tx, a Actor, suspended bool) error {
	state, action := "active", "workspace.restored"
	if suspended {
		state, action = "suspended", "workspace.suspended"
	}
	if _, err := tx.Exec(ctx, sqlSetState, a.Workspace, state); err != nil {
		return fmt.Errorf("set the workspace's state: %w", err)
	}
	return Audit(ctx, tx, a, Deed{Action: action, Subject: a.Workspace.String()})
}

// NewUserRequest is what a new user shall be.
type NewUserRequest struct {
	Organisation id.Organisation
	Email        string
	Name         string
	Password     string
	Language     string // en or ar; en by default
	Operator     bool
}

const sqlOrganisation = `
	select name
	from organisation
	where id = $1`

// CreateUser makes a person's account; email.taken when the address is in use.
func CreateUser(ctx context.Context, pool *pg.Pool, h *Hasher, r NewUserRequest) (id.User, error) {
	email, err := cleanEmail(r.Email)
	if err != nil {
		return id.User{}, err
	}
	r.Email = email
	var company string
	err = pool.Engine().QueryRow(ctx, sqlOrganisation, r.Organisation).Scan(&company)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.User{}, errs.New("ref.not_found").At("/organisation", "")
	}
	if err != nil {
		return id.User{}, fmt.Errorf("find the organisation: %w", err)
	}
	return insertUser(ctx, pool.App(), h, r, company)
}

const sqlNewUser = `
	insert into user_account (id, organisation_id, email, name, password_hash, language, operator)
	values ($1, $2, $3, $4, $5, $6, $7)
	on conflict (email) do nothing`

// insertUser needs a checked e-mail address.
func insertUser(ctx context.Context, db pg.DB, h *Hasher, r NewUserRequest, company string) (id.User, error) {
	user := id.New[id.User]()
	if r.Name == "" {
		r.Name = r.Email
	}
	name, err := cleanName(r.Name, "/name")
	if err != nil {
		return user, err
	}
	if err := CheckPassword(r.Password, company, r.Name, r.Email); err != nil {
		return user, err.At("/password", "")
	}
	if r.Language == "" {
		r.Language = "en"
	}
	phc, err := h.Hash(ctx, r.Password)
	if err != nil {
		return user, err
	}
	tag, err := db.Exec(ctx, sqlNewUser, user, r.Organisation, r.Email, name, phc, r.Language, r.Operator)
	if err != nil {
		return user, fmt.Errorf("create the user: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return user, errs.New("email.taken").At("/email", "")
	}
	return user, nil
}

const sqlSetOperator = `
	update user_account
	set operator = $2
	where email = $1`

// SetOperator says who runs the installation. Operators see queues and health,
// no customer's content.
func SetOperator(ctx context.Context, pool *pg.Pool, email string, operator bool) error {
	email, err := cleanEmail(email)
	if err != nil {
		return err
	}
	tag, err := pool.App().Exec(ctx, sqlSetOperator, email, operator)
	if err != nil {
		return fmt.Errorf("set the operator: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errs.New("not_found")
	}
	return nil
}

const sqlDisableUser = `
	update user_account
	set disabled_at = coalesce(disabled_at, bareed_now())
	where id = $1`

// DisableUser shuts a person out: sessions and the keys they made end with the
// same commit.
func DisableUser(ctx context.Context, pool *pg.Pool, user id.User) error {
	where, err := WorkspacesOf(ctx, pool, user)
	if err != nil {
		return err
	}
	err = pool.AsUser(ctx, user, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlDisableUser, user)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errs.New("not_found")
		}
		if _, err := tx.Exec(ctx, sqlEndSessions, user); err != nil {
			return err
		}
		for _, w := range where {
			if err := pg.Enter(ctx, tx, w.ID); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, sqlRevokeKeysOf, w.ID, user.String()); err != nil {
				return err
			}
			if err := Audit(ctx, tx, System(w.ID, "admin"), Deed{Action: "user.disabled", Subject: user.String()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("disable the user: %w", err)
	}
	return nil
}

// Join makes an existing user a member, as the tool does for the first owner of
// a workspace.
func Join(ctx context.Context, tx pgx.Tx, a Actor, user id.User, r Role) error {
	if !r.Valid() {
		return errs.New("invalid").At("/role", "field.one_of", "allowed", "owner, admin, marketer, viewer")
	}
	tag, err := tx.Exec(ctx, sqlAddMember, a.Workspace, user, string(r))
	if err != nil {
		return fmt.Errorf("add the member: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errs.New("member.exists")
	}
	return Audit(ctx, tx, a, Deed{Action: "member.added", Subject: user.String(), Detail: map[string]any{"role": r}})
}
