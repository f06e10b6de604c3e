package accounts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

const sqlStaleSystemKeys = `
	select name, version, sealed
	from system_key
	where sealed_version(sealed) < $1`

const sqlRewrapSystemKey = `
	update system_key
	set sealed = $3
	where name = $1
	  and version = $2`

const sqlStaleWorkspaces = `
	select workspace_id
	from workspace
	where sealed_version(data_key) < $1
	order by workspace_id`

const sqlDataKeyLocked = `
	select data_key
	from workspace
	where workspace_id = $1
	for update`

const sqlRewrapDataKey = `
	update workspace
	set data_key = $2
	where workspace_id = $1`

// Rewrap seals every key that an older master key sealed with the newest one,
// while everything runs, and returns how many it did. No value is touched: the
// keys inside stay as they are. Again is harmless; when it and numbers.Rewrap
// return 0, the older master key can go.
func (v *Vault) Rewrap(ctx context.Context) (int, error) {
	done, err := v.rewrapSystem(ctx)
	if err != nil {
		return done, err
	}
	stale, err := pg.All(ctx, v.pool.Engine(), "find the keys to rewrap", pgx.RowTo[id.Workspace], sqlStaleWorkspaces, int(v.ring.Box().Newest()))
	if err != nil {
		return done, err
	}
	for _, ws := range stale {
		if err := v.rewrapWorkspace(ctx, ws); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

func (v *Vault) rewrapWorkspace(ctx context.Context, ws id.Workspace) error {
	err := v.pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		var sealed []byte
		if err := tx.QueryRow(ctx, sqlDataKeyLocked, ws).Scan(&sealed); err != nil {
			return err
		}
		fresh, err := v.again(sealed, dataKeyPlace(ws))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlRewrapDataKey, ws, fresh); err != nil {
			return err
		}
		from, _ := seal.Version(sealed)
		return Audit(ctx, tx, System(ws, "admin"), Deed{Action: "workspace.key_rewrapped", Subject: ws.String(),
			Detail: map[string]any{"was": from, "became": v.ring.Box().Newest()}})
	})
	if err != nil {
		return fmt.Errorf("rewrap a workspace's key: %w", err)
	}
	return nil
}

func (v *Vault) rewrapSystem(ctx context.Context) (int, error) {
	done := 0
	err := v.pool.InEngine(ctx, func(tx pgx.Tx) error {
		done = 0
		rows, err := tx.Query(ctx, sqlStaleSystemKeys, int(v.ring.Box().Newest()))
		if err != nil {
			return err
		}
		type stale struct {
			Name    string
			Version int
			Sealed  []byte
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stale])
		if err != nil {
			return err
		}
		for _, k := range all {
			fresh, err := v.again(k.Sealed, systemPlace(k.Name, k.Version))
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, sqlRewrapSystemKey, k.Name, k.Version, fresh); err != nil {
				return err
			}
			done++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("rewrap the system keys: %w", err)
	}
	return done, nil
}

func (v *Vault) again(sealed []byte, place string) ([]byte, error) {
	plain, err := v.ring.Box().Open(sealed, place)
	if err != nil {
		return nil, err
	}
	return v.ring.Box().Seal(plain, place)
}

const sqlOldTries = `
	delete from sign_in_failure
	where at < bareed_now() - interval '1 hour'`

const sqlAllWorkspaces = `
	select workspace_id
	from workspace
	order by workspace_id`

const sqlOldAnswers = `
	delete from idempotency
	where workspace_id = $1
	  and created_at < bareed_now() - interval '7 days'`

// Housekeep removes what has served its time: failed sign-ins after an hour,
// stored answers after seven days. The scheduler calls it hourly.
func Housekeep(ctx context.Context, pool *pg.Pool) error {
	if _, err := pool.App().Exec(ctx, sqlOldTries); err != nil {
		return fmt.Errorf("remove old tries: %w", err)
	}
	all, err := pg.All(ctx, pool.Engine(), "list the workspaces", pgx.RowTo[id.Workspace], sqlAllWorkspaces)
	if err != nil {
		return err
	}
	for _, ws := range all {
		err := pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sqlOldAnswers, ws)
			return err
		})
		if err != nil {
			return fmt.Errorf("remove old answers: %w", err)
		}
	}
	return nil
}
