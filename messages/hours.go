package messages

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// OutsideHours is the reason of the stop on a run between its hours.
const OutsideHours = "outside_hours"

const sqlClosedZones = `
select distinct zone
from message
where workspace_id = $1
  and run_id = $2
  and state = 'ready'
  and closes_at <= bareed_now()
  and zone is not null
order by zone`

// ClosedZones are the zones of a run's people whose hours ended while their
// messages were still ready.
func ClosedZones(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) ([]string, error) {
	return pg.All(ctx, tx, "find zones whose hours ended", pgx.RowTo[string], sqlClosedZones, ws, run)
}

// hoursAtOnce bounds the rows of one statement, so that a zone of a million
// people is many short transactions.
const hoursAtOnce = 5000

const sqlNextHours = `
with rest as (
    select run_id, ordinal
    from message
    where workspace_id = $1
      and run_id = $2
      and state = 'ready'
      and closes_at <= bareed_now()
      and zone = $3
    order by run_id, ordinal
    limit $6
    for update skip locked
)
update message m
set not_before = $4, feed_after = $4, closes_at = $5, updated_at = bareed_now()
from rest
where m.run_id = rest.run_id
  and m.ordinal = rest.ordinal
  and m.state = 'ready'`

// NextHours puts what a zone's hours left over off until they open again.
func NextHours(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, zone string, opens time.Time, closes *time.Time) (int, error) {
	return count(tx.Exec(ctx, sqlNextHours, ws, run, zone, opens, closes, hoursAtOnce))("put a zone's people off")
}

const sqlExpireHours = `
with rest as (
    select run_id, ordinal
    from message
    where workspace_id = $1
      and run_id = $2
      and state = 'ready'
      and closes_at <= bareed_now()
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

// ExpireHours gives up what the hours of people's own zones left over. Places that
// were reserved for them are free again.
func ExpireHours(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int, error) {
	return closeReady(ctx, tx, ws, run, sqlExpireHours, Expired, hoursAtOnce)
}
