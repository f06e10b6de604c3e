// Package pacing owns what becomes of messages that Meta took and held: how many a
// run has, and making those ready again that Meta dropped.
//
// campaigns/pacing decides with it, campaigns/waves counts. It changes a message's
// state in one way only, from held and dropped to ready, and must not know why.
package pacing

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Counts is a run's held messages by what holds them.
type Counts struct {
	Assessed int64 `json:"assessed" doc:"Meta judges the first ones before it lets these go"`
	Paused   int64 `json:"paused" doc:"Meta has paused the template"`
	Dropped  int64 `json:"dropped" doc:"Meta dropped them; a person may have them sent anew"`
}

// Waiting is those that Meta may still let go.
func (c Counts) Waiting() int64 { return c.Assessed + c.Paused }

// sqlCount reads the index of held messages alone: what a run has not held costs nothing.
const sqlCount = `
select count(*) filter (where m.reason is null or m.reason not in ('paused', 'meta_132015')),
    count(*) filter (where m.reason = 'paused'),
    count(*) filter (where m.reason = 'meta_132015')
from message m
where m.workspace_id = $1
  and m.run_id = $2
  and m.state = 'held'`

// Count counts a run's held messages.
func Count(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) (c Counts, err error) {
	if err := db.QueryRow(ctx, sqlCount, ws, run).Scan(&c.Assessed, &c.Paused, &c.Dropped); err != nil {
		return c, fmt.Errorf("count held messages: %w", err)
	}
	return c, nil
}

// sqlLockDropped takes them in the claim's order, so that their number cannot
// change before the end of the transaction.
const sqlLockDropped = `
select count(*)
from (
    select 1
    from message m
    where m.workspace_id = $1
      and m.run_id = $2
      and m.state = 'held'
      and m.reason = 'meta_132015'
    order by m.run_id, m.ordinal
    for update) dropped`

// LockDropped counts the dropped ones and keeps them as they are until tx ends.
func LockDropped(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (n int64, err error) {
	if err := tx.QueryRow(ctx, sqlLockDropped, ws, run).Scan(&n); err != nil {
		return 0, fmt.Errorf("lock dropped messages: %w", err)
	}
	return n, nil
}

// sqlReturn takes the dropped request's traces off the row: Meta has none of it
// any more. The hash of its id stays, so that what Meta still says of it is known;
// an arrival of it after all then counts as a second acceptance (messages.SecondAcceptance).
const sqlReturn = `
with moved as (
    update message m
    set state = 'ready', reason = null, not_before = null, feed_after = bareed_now(), resolved_by = 'person',
        dropped = coalesce(m.dropped, '') || sha256(convert_to(coalesce(m.wamid, ''), 'UTF8')),
        wamid = null, accepted_at = null, held_at = null, meta_code = null, http_status = null,
        updated_at = bareed_now()
    where m.workspace_id = $1
      and m.run_id = $2
      and m.state = 'held'
      and m.reason = 'meta_132015'
    returning m.ordinal, m.attempt, m.claim_token
)
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
select $1, $2, ordinal, attempt, claim_token, 'returned_by_person'
from moved`

// Return makes the dropped ones ready again: a new attempt each, which passes
// every gate of the claim. Call LockDropped first.
func Return(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int64, error) {
	tag, err := tx.Exec(ctx, sqlReturn, ws, run)
	if err != nil {
		return 0, fmt.Errorf("make dropped messages ready: %w", err)
	}
	return tag.RowsAffected(), nil
}
