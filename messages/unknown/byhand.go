package unknown

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Closed is the reason of an unconfirmed message that a person has settled as
// it is: it is not offered for a resend any more.
const Closed = "closed"

// Open counts the unconfirmed messages of a run: those a person has still to
// decide on, and those that were settled as they are.
type Open struct {
	Open   int64
	Closed int64
}

const sqlOpen = `
select count(*) filter (where m.reason is distinct from 'closed'), count(*) filter (where m.reason = 'closed')
from message m
where m.workspace_id = $1
  and m.run_id = $2
  and m.state = 'unconfirmed'`

// CountOpen counts them.
func CountOpen(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) (o Open, err error) {
	if err := db.QueryRow(ctx, sqlOpen, ws, run).Scan(&o.Open, &o.Closed); err != nil {
		return o, fmt.Errorf("count unconfirmed messages: %w", err)
	}
	return o, nil
}

// sqlLockOpen takes them in the claim's order, so that their number cannot
// change before the end of the transaction: a receipt waits, and then applies
// to a message that is ready.
const sqlLockOpen = `
select count(*)
from (
    select 1
    from message m
    where m.workspace_id = $1
      and m.run_id = $2
      and m.state = 'unconfirmed'
      and m.reason is distinct from 'closed'
    order by m.run_id, m.ordinal
    for update) open`

// LockOpen counts the open ones and keeps them as they are until tx ends.
func LockOpen(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (n int64, err error) {
	if err := tx.QueryRow(ctx, sqlLockOpen, ws, run).Scan(&n); err != nil {
		return 0, fmt.Errorf("lock unconfirmed messages: %w", err)
	}
	return n, nil
}

const sqlResendOpen = `
with moved as (
    update message m
    set state = 'ready', reason = null, not_before = null, feed_after = bareed_now(), resolved_by = 'person',
        updated_at = bareed_now()
    where m.workspace_id = $1
      and m.run_id = $2
      and m.state = 'unconfirmed'
      and m.reason is distinct from 'closed'
    returning m.ordinal, m.attempt, m.claim_token
)
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
select $1, $2, ordinal, attempt, claim_token, 'resent_by_person'
from moved`

// ResendOpen makes the open ones ready again: a new attempt each, which passes
// every gate of the claim. Call LockOpen first.
func ResendOpen(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int64, error) {
	tag, err := tx.Exec(ctx, sqlResendOpen, ws, run)
	if err != nil {
		return 0, fmt.Errorf("send unconfirmed messages again: %w", err)
	}
	return tag.RowsAffected(), nil
}

const sqlCloseOpen = `
update message m
set reason = 'closed', updated_at = bareed_now()
where m.workspace_id = $1
  and m.run_id = $2
  and m.state = 'unconfirmed'
  and m.reason is distinct from 'closed'`

// CloseOpen settles the open ones as they are. A receipt that still comes lifts
// them all the same. Call LockOpen first.
func CloseOpen(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int64, error) {
	tag, err := tx.Exec(ctx, sqlCloseOpen, ws, run)
	if err != nil {
		return 0, fmt.Errorf("close unconfirmed messages: %w", err)
	}
	return tag.RowsAffected(), nil
}
