package waves

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Which policy a run goes by. The workspace's is kept when the run begins. From
// then on what becomes stricter holds at once and is kept too; what becomes looser
// holds for runs that begin later, so that nobody lets a held campaign go by a
// change that was meant for the next. What is set for the campaign itself lies over
// that: it was meant for this one.

// sqlSettings finds what is set of the workspace and of the campaign.
const sqlSettings = `
select subject_id, settings, version, updated_by, updated_at
from breaker_setting
where workspace_id = $1
  and subject_id in ($1, $2)`

// readSettings reads what the workspace and, unless it is zero, the campaign set.
func readSettings(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (widest, own Breaker, err error) {
	subject := subjectOf(ws, campaign)
	rows, err := db.Query(ctx, sqlSettings, ws, subject)
	if err != nil {
		return widest, own, fmt.Errorf("read the breaker's settings: %w", err)
	}
	var of [16]byte
	var one Breaker
	_, err = pgx.ForEachRow(rows, []any{&of, &one.Settings, &one.Version, &one.UpdatedBy, &one.UpdatedAt}, func() error {
		if of == ws {
			widest = one
		} else {
			own = one
		}
		one = Breaker{}
		return nil
	})
	if err != nil {
		return widest, own, fmt.Errorf("read the breaker's settings: %w", err)
	}
	return widest, own, nil
}

const sqlKept = `
select policy
from run_policy
where workspace_id = $1
  and run_id = $2`

// readKept reads what a run goes by of its workspace's policy; nil: nothing is kept.
func readKept(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) (*breaker.Policy, error) {
	var p breaker.Policy
	err := db.QueryRow(ctx, sqlKept, ws, run).Scan(&p)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a run's policy: %w", err)
	}
	return &p, nil
}

const sqlKeep = `
insert into run_policy (workspace_id, run_id, policy)
values ($1, $2, $3)
on conflict (workspace_id, run_id) do update
set policy = excluded.policy`

func keep(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, p breaker.Policy) error {
	if _, err := tx.Exec(ctx, sqlKeep, ws, run, p); err != nil {
		return fmt.Errorf("keep a run's policy: %w", err)
	}
	return nil
}

// inForce is what a run goes by: of its workspace, and with what is set for its
// campaign over it. changed tells that the first is not what is kept.
type inForce struct {
	workspace, policy breaker.Policy
	changed           bool
}

// readInForce reads the policy that a run goes by.
func readInForce(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, run id.Run, limits breaker.Limits) (f inForce, err error) {
	widest, own, err := readSettings(ctx, db, ws, campaign)
	if err != nil {
		return f, err
	}
	kept, err := readKept(ctx, db, ws, run)
	if err != nil {
		return f, err
	}
	f.workspace, f.changed = limits.Resolve(widest.Settings), kept == nil
	if kept != nil {
		f.workspace = f.workspace.Stricter(*kept)
		f.changed = !reflect.DeepEqual(f.workspace, *kept)
	}
	f.policy = limits.Over(f.workspace, own.Settings)
	return f, nil
}
