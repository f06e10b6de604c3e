package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Key is an API key as it is listed: never the key itself.
type Key struct {
	ID        id.Key     `json:"id"`
	Name      string     `json:"name"`
	Hint      string     `json:"hint" doc:"Its last four characters"`
	Live      bool       `json:"live"`
	Scopes    []string   `json:"scopes"`
	CreatedBy string     `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	UsedAt    *time.Time `json:"used_at" doc:"To the minute"`
}

// KeyRequest is what a new key shall be. A key that is not live never reaches
// Meta.
type KeyRequest struct {
	Name      string     `json:"name" maxLength:"200"`
	Live      bool       `json:"live"`
	Scopes    []string   `json:"scopes" minItems:"1" maxItems:"50"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

const sqlNewKey = `
	insert into api_key (workspace_id, id, name, hash, hint, live, scopes, created_by, expires_at)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	returning created_at, coalesce(expires_at <= bareed_now(), false)`

// NewKey makes a key and returns it with its secret, which is shown this once.
func NewKey(ctx context.Context, tx pgx.Tx, a Actor, r KeyRequest) (Key, string, error) {
	name, err := cleanName(r.Name, "/name")
	if err != nil {
		return Key{}, "", err
	}
	for i, s := range r.Scopes {
		if !slices.Contains(ScopeNames(), s) {
			return Key{}, "", errs.New("invalid").At(fmt.Sprintf("/scopes/%d", i), "scope.unknown", "scope", errs.Clip(s))
		}
	}
	secret, err := newSecret()
	if err != nil {
		return Key{}, "", err
	}
	secret = keyTest + secret
	if r.Live {
		secret = keyLive + secret[len(keyTest):]
	}
	k := Key{ID: id.New[id.Key](), Name: name, Hint: secret[len(secret)-4:], Live: r.Live,
		Scopes: slices.Compact(slices.Sorted(slices.Values(r.Scopes))), CreatedBy: a.String(), ExpiresAt: r.ExpiresAt}
	var past bool
	err = tx.QueryRow(ctx, sqlNewKey, a.Workspace, k.ID, k.Name, secretHash(secret), k.Hint, k.Live, k.Scopes, k.CreatedBy, k.ExpiresAt).
		Scan(&k.CreatedAt, &past)
	if err != nil {
		return Key{}, "", fmt.Errorf("make the key: %w", err)
	}
	if past {
		return Key{}, "", errs.New("invalid").At("/expires_at", "field.past")
	}
	return k, secret, Audit(ctx, tx, a, Deed{Action: "key.created", Subject: k.ID.String(),
		Detail: map[string]any{"name": k.Name, "live": k.Live, "scopes": k.Scopes, "expires_at": k.ExpiresAt}})
}

const sqlKeys = `
	select id, name, hint, live, scopes, created_by, created_at, expires_at, revoked_at, used_at
	from api_key
	where workspace_id = $1
	  and ($2::uuid is null or id < $2)
	order by id desc
	limit $3`

// ListKeys returns keys newest first, those before an id when it is given.
func ListKeys(ctx context.Context, tx pgx.Tx, ws id.Workspace, before id.Key, limit int) ([]Key, error) {
	return pg.All(ctx, tx, "list the keys", pgx.RowToStructByPos[Key], sqlKeys, ws, before, limit)
}

const sqlRevokeKey = `
	update api_key
	set revoked_at = coalesce(revoked_at, bareed_now())
	where workspace_id = $1
	  and id = $2`

// RevokeKey ends a key at once; again is harmless.
func RevokeKey(ctx context.Context, tx pgx.Tx, a Actor, key id.Key) error {
	tag, err := tx.Exec(ctx, sqlRevokeKey, a.Workspace, key)
	if err != nil {
		return fmt.Errorf("revoke the key: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errs.New("not_found")
	}
	return Audit(ctx, tx, a, Deed{Action: "key.revoked", Subject: key.String()})
}

// KeyExposed records that a key was sent where it is kept in logs, so that its
// owner sees that it must be replaced. Text that is no key of ours is nothing.
func KeyExposed(ctx context.Context, pool *pg.Pool, key, address, requestID string) error {
	who, err := FindKey(ctx, pool, key)
	var known *errs.Error
	if errors.As(err, &known) {
		return nil
	}
	if err != nil {
		return err
	}
	who.Actor.Address, who.Actor.RequestID = address, requestID
	return pool.InWorkspace(ctx, who.Actor.Workspace, func(tx pgx.Tx) error {
		return Audit(ctx, tx, who.Actor, Deed{Action: "key.exposed", Subject: who.Key.String()})
	})
}
