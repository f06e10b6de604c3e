package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bareed/internal/id"
)

// sqlExpireClaims: nobody may POST for these rows any more, and somebody may
// have; the echo will tell.
const sqlExpireClaims = `
with late as (
    select run_id, ordinal
    from message
    where workspace_id = $1
      and run_id = $2
      and state = 'sending'
      and claim_deadline < bareed_now()
    order by run_id, ordinal
    limit 5000
    for update skip locked
), moved as (
    update message m
    set state = 'unknown', updated_at = bareed_now()
    from late
    where m.run_id = late.run_id
      and m.ordinal = late.ordinal
      and m.state = 'sending'
    returning m.ordinal, m.attempt, m.claim_token
)
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
select $1, $2, ordinal, attempt, claim_token, 'expired'
from moved`

// ExpireClaims turns the run's claims past their deadline into unknown.
func ExpireClaims(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int, error) {
	return count(tx.Exec(ctx, sqlExpireClaims, ws, run))("expire claims")
}

const sqlGiveUpUnknown = `
update message
set state = 'unconfirmed', reason = 'no_answer', updated_at = bareed_now()
where workspace_id = $1
  and run_id = $2
  and state = 'unknown'
  and claimed_at < bareed_now() - $3::interval`

// GiveUpUnknown turns rows that have been unknown for the horizon into
// unconfirmed. They are listed, never resent by themselves; a receipt that
// still comes lifts them.
func GiveUpUnknown(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, horizon time.Duration) (int, error) {
	return count(tx.Exec(ctx, sqlGiveUpUnknown, ws, run, horizon))("give up unknown messages")
}

// sqlRefeed offers again what was handed to the queue a minute ago or earlier
// and is still ready: its task was lost. Then it moves the mark.
const sqlRefeed = `
with r as (
    select refeed_to
    from run
    where workspace_id = $1
      and id = $2
      and refeed_at < bareed_now() - interval '60 seconds'
    for update
), again as (
    update message m
    set feed_after = bareed_now()
    where m.run_id = $2
      and m.workspace_id = $1
      and m.state = 'ready'
      and m.feed_after is null
      and m.ordinal <= (select refeed_to from r)
    returning 1
), moved as (
    update run
    set refeed_to = fed, refeed_at = bareed_now()
    where workspace_id = $1
      and id = $2
      and refeed_at < bareed_now() - interval '60 seconds'
    returning 1
)
select count(*) from again`

// Refeed makes the feeder offer again what it handed over more than a minute
// ago and nobody claimed. Harmless when the task still exists: the claim decides.
func Refeed(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int, error) {
	var n int
	if err := tx.QueryRow(ctx, sqlRefeed, ws, run).Scan(&n); err != nil {
		return 0, fmt.Errorf("feed again: %w", err)
	}
	return n, nil
}

const sqlRefeedAll = `
update message m
set feed_after = bareed_now()
from run r
where r.workspace_id = $1
  and r.id = $2
  and m.run_id = r.id
  and m.workspace_id = $1
  and m.state = 'ready'
  and m.ordinal <= r.fed
  and (m.not_before is null or m.not_before <= bareed_now())`

// RefeedAll is Refeed at once, for a queue that lost everything.
func RefeedAll(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int, error) {
	return count(tx.Exec(ctx, sqlRefeedAll, ws, run))("feed all again")
}

const sqlSuppressReady = `
with rest as (
    select run_id, ordinal
    from message
    where workspace_id = $1
      and run_id = $2
      and state = 'ready'
    order by run_id, ordinal
    limit $4
    for update skip locked
)
update message m
set state = 'suppressed', reason = $3, feed_after = null, updated_at = bareed_now()
from rest
where m.run_id = rest.run_id
  and m.ordinal = rest.ordinal
  and m.state = 'ready'
returning m.ordinal, m.ordinal <= (select r.fed from run r where r.workspace_id = $1 and r.id = $2)`

// SuppressReady closes the remaining ready rows of a run that was stopped or
// expired, at most limit of them, and returns how many. The places of those that
// were already handed over are free again.
func SuppressReady(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, reason string, limit int) (int, error) {
	return closeReady(ctx, tx, ws, run, sqlSuppressReady, reason, limit)
}

// closeReady runs a statement that suppresses ready rows of a run and tells of
// each whether it was handed over already, and frees the places of those.
func closeReady(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, sql, reason string, limit int) (int, error) {
	rows, err := tx.Query(ctx, sql, ws, run, reason, limit)
	if err != nil {
		return 0, fmt.Errorf("suppress the rest: %w", err)
	}
	m := id.Message{Run: run}
	var fed bool
	var over []id.Message
	tag, err := pgx.ForEachRow(rows, []any{&m.Ordinal, &fed}, func() error {
		if fed {
			over = append(over, m)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("suppress the rest: %w", err)
	}
	return int(tag.RowsAffected()), freePlaces(ctx, tx, ws, over)
}

// count makes (rows affected, error) out of a command's result.
func count(tag pgconn.CommandTag, err error) func(action string) (int, error) {
	return func(action string) (int, error) {
		if err != nil {
			return 0, fmt.Errorf("%s: %w", action, err)
		}
		return int(tag.RowsAffected()), nil
	}
}
