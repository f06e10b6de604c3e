package numbers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/seal"
)

const sqlSeeDelivery = `
insert into delivery_seen (app_id, sha256)
values ($1, $2)
on conflict (app_id, sha256) do nothing`

// SeeDelivery takes a webhook body by its SHA-256; fresh is false when it was
// taken before. A twin that arrives at the same moment waits here until the
// first one is committed.
func SeeDelivery(ctx context.Context, tx pgx.Tx, app id.App, sum []byte) (fresh bool, err error) {
	tag, err := tx.Exec(ctx, sqlSeeDelivery, app, sum)
	if err != nil {
		return false, fmt.Errorf("note the delivery: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

const sqlIntake = `
select content_mode, bareed_now()
from workspace
where workspace_id = $1`

// Intake reads how a workspace wants content kept (off, logs, chat_history), and
// the time, by which unbelievable times of a webhook are replaced.
func Intake(ctx context.Context, tx pgx.Tx, ws id.Workspace) (contentMode string, now time.Time, err error) {
	if err := tx.QueryRow(ctx, sqlIntake, ws).Scan(&contentMode, &now); err != nil {
		return "", now, fmt.Errorf("read the workspace's content mode: %w", err)
	}
	return contentMode, now, nil
}

// EventPlace is where the body of a stored event is sealed for.
func EventPlace(e id.Event) string { return "event.body/" + e.String() }

const sqlKeepEvent = `
insert into event (workspace_id, id, app_id, fields, body)
values ($1, $2, $3, $4, $5)`

// KeepEvent stores one workspace's share of a webhook, sealed, for the worker
// to apply.
func KeepEvent(ctx context.Context, tx pgx.Tx, box *seal.Box, ws id.Workspace, app id.App, fields []string, body []byte) (id.Event, error) {
	e := id.New[id.Event]()
	sealed, err := box.Seal(body, EventPlace(e))
	if err != nil {
		return e, fmt.Errorf("seal the event: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlKeepEvent, ws, e, app, fields, sealed); err != nil {
		return e, fmt.Errorf("keep the event: %w", err)
	}
	return e, nil
}

const sqlEventProblem = `
update event
set problem = $3
where workspace_id = $1
  and id = $2`

// EventProblem notes that a part of an event could not be applied when it came.
func EventProblem(ctx context.Context, tx pgx.Tx, ws id.Workspace, e id.Event, problem string) error {
	if _, err := tx.Exec(ctx, sqlEventProblem, ws, e, problem); err != nil {
		return fmt.Errorf("note the event's problem: %w", err)
	}
	return nil
}

// sqlRetryEvents begins anew with what six tries could not apply.
const sqlRetryEvents = `
update event
set state = 'new', tries = 0, feed_after = null, problem = ''
where workspace_id = $1
  and state = 'failed'`

// RetryEvents has a workspace's failed events applied again, once what kept them
// from it is mended, and returns how many. Applying one twice changes nothing.
func RetryEvents(ctx context.Context, tx pgx.Tx, ws id.Workspace) (int64, error) {
	tag, err := tx.Exec(ctx, sqlRetryEvents, ws)
	if err != nil {
		return 0, fmt.Errorf("retry failed events: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Why a change belongs to no workspace.
const (
	StrayUnparseable = "unparseable"
	StrayNumber      = "unknown_number"
	StrayAccount     = "unknown_waba"
	StrayObject      = "other_object"
)

const sqlKeepStray = `
insert into stray_event (id, app_id, why, body)
values ($1, $2, $3, $4)`

// KeepStray stores what belongs to no workspace, sealed for the operator.
func KeepStray(ctx context.Context, tx pgx.Tx, system *seal.Box, app id.App, why string, body []byte) error {
	e := id.New[[16]byte]()
	sealed, err := system.Seal(body, strayPlace(e))
	if err != nil {
		return fmt.Errorf("seal the stray event: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlKeepStray, e, app, why, sealed); err != nil {
		return fmt.Errorf("keep the stray event: %w", err)
	}
	return nil
}

const sqlFindByMetaID = `
select id
from number
where workspace_id = $1
  and phone_number_id = $2
order by disconnected_at desc nulls first
limit 1`

// FindByMetaID finds the workspace's number of Meta's phone number id, the
// connected one before a disconnected one; not_found when there is none.
func FindByMetaID(ctx context.Context, tx pgx.Tx, ws id.Workspace, phoneNumberID string) (id.Number, error) {
	var n id.Number
	err := tx.QueryRow(ctx, sqlFindByMetaID, ws, phoneNumberID).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return n, errs.New("not_found")
	}
	if err != nil {
		return n, fmt.Errorf("find the number: %w", err)
	}
	return n, nil
}
