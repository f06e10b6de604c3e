package numbers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

// sqlStaleApps names with each app a workspace of its organisation, because only
// from there an app can be written.
const sqlStaleApps = `
select a.id, w.workspace_id
from meta_app a
cross join lateral (
    select w.workspace_id
    from workspace w
    where w.organisation_id = a.organisation_id
    order by w.workspace_id
    limit 1) w
where least(sealed_version(a.secret), sealed_version(a.old_secret), sealed_version(a.verify_token)) < $1
order by a.id`

// Rewrap seals with the newest master key what an older one sealed for Meta
// apps and stray events, while everything runs, and returns how many rows that
// were. Again is harmless.
func Rewrap(ctx context.Context, pool *pg.Pool, system *seal.Box) (int, error) {
	type stale struct {
		App       id.App
		Workspace id.Workspace
	}
	apps, err := pg.All(ctx, pool.Engine(), "find the apps to seal anew", pgx.RowToStructByPos[stale], sqlStaleApps, int(system.Newest()))
	if err != nil {
		return 0, err
	}
	done := 0
	for _, a := range apps {
		fresh := false
		err := pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
			fresh, err = rewrapApp(ctx, tx, system, a.App)
			return err
		})
		if err != nil {
			return done, err
		}
		if fresh {
			done++
		}
	}
	strays, err := rewrapStrays(ctx, pool, system)
	return done + strays, err
}

const sqlAppSealed = `
select secret, old_secret, verify_token
from meta_app
where id = $1
for update`

const sqlResealApp = `
update meta_app
set secret = $2,
    old_secret = $3,
    verify_token = $4
where id = $1`

// rewrapApp locks an app and seals anew what an older master key sealed of it;
// fresh tells whether there was anything.
func rewrapApp(ctx context.Context, tx pgx.Tx, box *seal.Box, app id.App) (fresh bool, err error) {
	var secret, old, verify []byte
	if err := tx.QueryRow(ctx, sqlAppSealed, app).Scan(&secret, &old, &verify); err != nil {
		return false, fmt.Errorf("read what is sealed of the app: %w", err)
	}
	for _, v := range []struct {
		sealed *[]byte
		column string
	}{{&secret, "secret"}, {&old, "secret"}, {&verify, "verify_token"}} {
		if version, ok := seal.Version(*v.sealed); !ok || version >= box.Newest() {
			continue // no old secret, or sealed by the newest already
		}
		if *v.sealed, err = again(box, *v.sealed, appPlace(v.column, app)); err != nil {
			return false, fmt.Errorf("seal the app's %s anew: %w", v.column, err)
		}
		fresh = true
	}
	if !fresh {
		return false, nil
	}
	if _, err := tx.Exec(ctx, sqlResealApp, app, secret, old, verify); err != nil {
		return false, fmt.Errorf("keep the app sealed anew: %w", err)
	}
	return true, nil
}

const sqlStaleStrays = `
select id, body
from stray_event
where sealed_version(body) < $1
  and ($2::uuid is null or id > $2)
order by id
limit 200`

const sqlResealStray = `
update stray_event
set body = $2
where id = $1`

func rewrapStrays(ctx context.Context, pool *pg.Pool, box *seal.Box) (done int, err error) {
	type stale struct {
		ID   uuid.UUID
		Body []byte
	}
	var after *uuid.UUID
	for {
		var found []stale
		err := pool.InEngine(ctx, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, sqlStaleStrays, int(box.Newest()), after)
			if err != nil {
				return err
			}
			if found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[stale]); err != nil {
				return err
			}
			for _, s := range found {
				body, err := again(box, s.Body, strayPlace(s.ID))
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, sqlResealStray, s.ID, body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return done, fmt.Errorf("seal stray events anew: %w", err)
		}
		if len(found) == 0 {
			return done, nil
		}
		done += len(found)
		after = &found[len(found)-1].ID
	}
}

func again(box *seal.Box, sealed []byte, place string) ([]byte, error) {
	plain, err := box.Open(sealed, place)
	if err != nil {
		return nil, err
	}
	return box.Seal(plain, place)
}

func strayPlace(event uuid.UUID) string { return "stray_event.body/" + event.String() }
