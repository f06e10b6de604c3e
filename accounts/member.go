package accounts

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Member is a person in a workspace.
type Member struct {
	ID       id.User   `json:"id"`
	Name     string    `json:"name"`
	Email    string    `json:"email"`
	Role     Role      `json:"role" enum:"owner,admin,marketer,viewer"`
	Disabled bool      `json:"disabled"`
	Since    time.Time `json:"since"`
}

const sqlMembers = `
	select u.id, u.name, u.email, m.role, u.disabled_at is not null, m.created_at
	from membership m
	join user_account u on u.id = m.user_id
	where m.workspace_id = $1
	  and ($2::uuid is null or u.id > $2)
	order by u.id
	limit $3`

// ListMembers returns members by id, those behind one when it is given.
func ListMembers(ctx context.Context, tx pgx.Tx, ws id.Workspace, after id.User, limit int) ([]Member, error) {
	return pg.All(ctx, tx, "list the members", pgx.RowToStructByPos[Member], sqlMembers, ws, after, limit)
}

const sqlMember = `
	select u.id, u.name, u.email, m.role, u.disabled_at is not null, m.created_at
	from membership m
	join user_account u on u.id = m.user_id
	where m.workspace_id = $1
	  and m.user_id = $2`

// GetMember reads one member; not_found when there is none.
func GetMember(ctx context.Context, tx pgx.Tx, ws id.Workspace, user id.User) (Member, error) {
	return pg.One(ctx, tx, "find the member", pgx.RowToStructByPos[Member], sqlMember, ws, user)
}

// MemberRequest adds a person. Password is the first one of somebody new; for
// somebody who has an account in the organisation it is left out.
type MemberRequest struct {
	Email    string `json:"email" maxLength:"254"`
	Name     string `json:"name,omitempty" maxLength:"200"`
	Role     Role   `json:"role" enum:"owner,admin,marketer,viewer"`
	Password string `json:"password,omitempty"`
}

const sqlUserForMember = `
	select u.id, o.id, o.name
	from workspace w
	join organisation o on o.id = w.organisation_id
	left join user_account u on u.email = $2 and u.organisation_id = o.id
	where w.workspace_id = $1`

const sqlAddMember = `
	insert into membership (workspace_id, user_id, role)
	values ($1, $2, $3)
	on conflict do nothing`

// AddMember makes a person a member, and an account for them when they have
// none in the organisation. Only an owner makes an owner.
func AddMember(ctx context.Context, tx pgx.Tx, h *Hasher, a Actor, r MemberRequest) (Member, error) {
	if err := mayGrant(a, r.Role); err != nil {
		return Member{}, err
	}
	email, err := cleanEmail(r.Email)
	if err != nil {
		return Member{}, err
	}
	var user id.User
	var org id.Organisation
	var company string
	if err := tx.QueryRow(ctx, sqlUserForMember, a.Workspace, email).Scan(&user, &org, &company); err != nil {
		return Member{}, fmt.Errorf("find the person: %w", err)
	}
	if user.IsZero() {
		if user, err = insertUser(ctx, tx, h, NewUserRequest{Organisation: org, Email: email, Name: r.Name, Password: r.Password}, company); err != nil {
			return Member{}, err
		}
	}
	tag, err := tx.Exec(ctx, sqlAddMember, a.Workspace, user, string(r.Role))
	if err != nil {
		return Member{}, fmt.Errorf("add the member: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return Member{}, errs.New("member.exists")
	}
	if err := Audit(ctx, tx, a, Deed{Action: "member.added", Subject: user.String(), Detail: map[string]any{"role": r.Role}}); err != nil {
		return Member{}, err
	}
	return GetMember(ctx, tx, a.Workspace, user)
}

func mayGrant(a Actor, r Role) error {
	if !r.Valid() {
		return errs.New("invalid").At("/role", "field.one_of", "allowed", "owner, admin, marketer, viewer")
	}
	if r == Owner && a.Kind == KindUser && a.Role != Owner {
		return errs.New("member.owner_only")
	}
	return nil
}

// cleanEmail takes a bare address and writes it in lower case.
func cleanEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if at, err := mail.ParseAddress(s); err != nil || at.Address != s || len(s) > 254 {
		return "", errs.New("invalid").At("/email", "email.invalid")
	}
	return s, nil
}

const sqlLockOwners = `
	select user_id
	from membership
	where workspace_id = $1
	  and role = 'owner'
	order by user_id
	for update`

// guardOwner refuses what would leave the workspace without an owner, and what
// an admin would do to an owner. Owners are locked so that two cannot leave at
// once.
func guardOwner(ctx context.Context, tx pgx.Tx, a Actor, m Member) error {
	rows, err := tx.Query(ctx, sqlLockOwners, a.Workspace)
	if err != nil {
		return fmt.Errorf("find the owners: %w", err)
	}
	owners, err := pgx.CollectRows(rows, pgx.RowTo[id.User])
	switch {
	case err != nil:
		return fmt.Errorf("find the owners: %w", err)
	case m.Role != Owner:
		return nil
	case a.Kind == KindUser && a.Role != Owner:
		return errs.New("member.owner_only")
	case len(owners) <= 1:
		return errs.New("member.last_owner")
	}
	return nil
}

const sqlSetRole = `
	update membership
	set role = $3
	where workspace_id = $1
	  and user_id = $2`

// SetRole changes what a member may do, from their next request on.
func SetRole(ctx context.Context, tx pgx.Tx, a Actor, user id.User, r Role) (Member, error) {
	if err := mayGrant(a, r); err != nil {
		return Member{}, err
	}
	m, err := GetMember(ctx, tx, a.Workspace, user)
	if err != nil || m.Role == r {
		return m, err
	}
	if err := guardOwner(ctx, tx, a, m); err != nil {
		return m, err
	}
	if _, err := tx.Exec(ctx, sqlSetRole, a.Workspace, user, string(r)); err != nil {
		return m, fmt.Errorf("set the role: %w", err)
	}
	d := Deed{Action: "member.role_changed", Subject: user.String(), Detail: map[string]any{"was": m.Role, "became": r}}
	m.Role = r
	return m, Audit(ctx, tx, a, d)
}

const sqlRemoveMember = `
	delete from membership
	where workspace_id = $1
	  and user_id = $2`

const sqlRevokeKeysOf = `
	update api_key
	set revoked_at = bareed_now()
	where workspace_id = $1
	  and created_by = $2
	  and revoked_at is null`

// RemoveMember takes a person out of the workspace; keys they made there end.
func RemoveMember(ctx context.Context, tx pgx.Tx, a Actor, user id.User) error {
	m, err := GetMember(ctx, tx, a.Workspace, user)
	if err != nil {
		return err
	}
	if err := guardOwner(ctx, tx, a, m); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlRemoveMember, a.Workspace, user); err != nil {
		return fmt.Errorf("remove the member: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlRevokeKeysOf, a.Workspace, user.String()); err != nil {
		return fmt.Errorf("revoke the member's keys: %w", err)
	}
	return Audit(ctx, tx, a, Deed{Action: "member.removed", Subject: user.String(), Detail: map[string]any{"role": m.Role}})
}
