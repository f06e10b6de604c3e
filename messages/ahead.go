package messages

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// sqlAhead takes people in an open service window out of the turn. Like what came
// back they have feed_after for a lease: offered again in a minute when the task
// is lost, and passed over by the cursor.
const sqlAhead = `
with pick as (
    select m.run_id, m.ordinal
    from message m
    cross join lateral (
        select
        from service_window sw
        where sw.workspace_id = $1
          and sw.number_id = $3
          and sw.recipient_hash = m.recipient_hash
          and sw.open_until > bareed_now() + interval '2 minutes'
        offset 0) w
    where m.workspace_id = $1
      and m.run_id = $2
      and m.ordinal > $4
      and m.ordinal <= $5
      and m.state = 'ready'
      and m.feed_after is null
      and m.not_before is null
    order by m.ordinal
    limit $6
    for update of m skip locked
)
update message m
set feed_after = bareed_now() + interval '60 seconds'
from pick
where m.run_id = pick.run_id
  and m.ordinal = pick.ordinal
returning m.ordinal, m.contact_id, m.recipient_hash, true as fresh, true as in_window`

// Ahead picks up to n of a run's messages whose ordinals are in (from, to] and
// whose people are in an open service window: they need no place under the
// portfolio's limit and do not wait behind those who do. What it picks must be
// handed over; what it costs is the distance looked over.
func Ahead(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, b Backlog, from, to int32, n int) ([]Candidate, error) {
	return pg.All(ctx, tx, "look ahead", pgx.RowToStructByPos[Candidate], sqlAhead, ws, run, b.Number, from, to, n)
}
