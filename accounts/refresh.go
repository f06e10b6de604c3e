package accounts

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlRefreshKeys = `
	select k.id, k.scopes, k.live and w.live, w.state = 'suspended'
	from api_key k
	join workspace w on w.workspace_id = k.workspace_id
	where k.workspace_id = $1
	  and k.id = any ($2)
	  and k.revoked_at is null
	  and (k.expires_at is null or k.expires_at > bareed_now())`

// The conditions are those of sqlFindSession, for a session that is known.
const sqlRefreshSessions = `
	select s.id, m.role, w.live, w.state = 'suspended'
	from session s
	join user_account u on u.id = s.user_id
	join membership m on m.user_id = s.user_id and m.workspace_id = s.workspace_id
	join workspace w on w.workspace_id = m.workspace_id
	where s.workspace_id = $1
	  and s.id = any ($2)
	  and s.ended_at is null
	  and s.expires_at > bareed_now()
	  and s.seen_at > bareed_now() - interval '30 minutes'
	  and u.disabled_at is null`

// Refresh tells of callers of one workspace, in their order, what their
// credentials are worth now: nil for those that hold, with role, scopes and
// the workspace's state brought up to date in place, and auth.session or
// auth.key_revoked for those that ended or moved to another workspace. It is
// for answers that outlast a request's first check, takes one statement for all
// sessions and one for all keys, and keeps no session from going idle.
func Refresh(ctx context.Context, pool *pg.Pool, ws id.Workspace, who []*Identity) ([]error, error) {
	keys, sessions := make(map[id.Key]Identity), make(map[id.Session]Identity)
	for _, w := range who {
		if !w.Key.IsZero() {
			keys[w.Key] = Identity{}
		} else if !w.Session.IsZero() {
			sessions[w.Session] = Identity{}
		}
	}
	if err := refreshKeys(ctx, pool, ws, keys); err != nil {
		return nil, err
	}
	if err := refreshSessions(ctx, pool, ws, sessions); err != nil {
		return nil, err
	}
	verdicts := make([]error, len(who))
	for i, w := range who {
		now, gone := sessions[w.Session], errs.New("auth.session")
		if !w.Key.IsZero() {
			now, gone = keys[w.Key], errs.New("auth.key_revoked")
		}
		switch {
		case w.Actor.Kind == KindSystem: // no credential that could end
		case w.Actor.Workspace != ws || now.Actor.Workspace != ws:
			verdicts[i] = gone
		default:
			w.Actor.Role, w.Actor.Scopes, w.Actor.Live, w.Suspended = now.Actor.Role, now.Actor.Scopes, now.Actor.Live, now.Suspended
		}
	}
	return verdicts, nil
}

// refreshKeys fills in the keys that hold; the others stay without a workspace.
func refreshKeys(ctx context.Context, pool *pg.Pool, ws id.Workspace, keys map[id.Key]Identity) error {
	if len(keys) == 0 {
		return nil
	}
	var key id.Key
	now := Identity{Actor: Actor{Workspace: ws}}
	rows, err := pool.Engine().Query(ctx, sqlRefreshKeys, ws, idsOf(keys))
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&key, &now.Actor.Scopes, &now.Actor.Live, &now.Suspended}, func() error {
			held := now
			held.Actor.Scopes = slices.Clone(now.Actor.Scopes)
			keys[key] = held
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("check the keys again: %w", err)
	}
	return nil
}

func refreshSessions(ctx context.Context, pool *pg.Pool, ws id.Workspace, sessions map[id.Session]Identity) error {
	if len(sessions) == 0 {
		return nil
	}
	var session id.Session
	now := Identity{Actor: Actor{Workspace: ws}}
	rows, err := pool.Engine().Query(ctx, sqlRefreshSessions, ws, idsOf(sessions))
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&session, &now.Actor.Role, &now.Actor.Live, &now.Suspended}, func() error {
			sessions[session] = now
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("check the sessions again: %w", err)
	}
	return nil
}

func idsOf[K comparable](m map[K]Identity) []K {
	list := make([]K, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	return list
}
