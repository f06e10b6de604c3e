package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// sqlOfferLater says when the feeder is to offer messages again; with $5 they are
// not claimed meanwhile either, so that they do not count as out. The rows are
// locked in the claim's order.
const sqlOfferLater = `
with asked as (
    select w.run_id, w.ordinal, w.after
    from unnest($2::uuid[], $3::int[], $4::interval[]) as w(run_id, ordinal, after)
    order by w.run_id, w.ordinal
    offset 0
), pick as (
    select m.run_id, m.ordinal, a.after
    from asked a
    cross join lateral (
        select m.run_id, m.ordinal
        from message m
        where m.run_id = a.run_id
          and m.ordinal = a.ordinal
          and m.workspace_id = $1
          and m.state = 'ready'
        for update) m
)
update message m
set feed_after = bareed_now() + pick.after,
    not_before = case when $5::boolean then bareed_now() + pick.after else m.not_before end,
    updated_at = bareed_now()
from pick
where m.run_id = pick.run_id
  and m.ordinal = pick.ordinal`

// Returned is an unclaimed message that is to be offered again after a while.
type Returned struct {
	Message id.Message
	After   time.Duration
}

// GiveBack tells the feeder when to offer unclaimed messages again: the worker
// had a task but no departure or no slot for it.
func GiveBack(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Returned) error {
	return offerLater(ctx, tx, ws, list, false)
}

func offerLater(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Returned, unclaimed bool) error {
	n := len(list)
	runs, ordinals, after := make([]id.Run, n), make([]int32, n), make([]time.Duration, n)
	for i, r := range list {
		runs[i], ordinals[i], after[i] = r.Message.Run, r.Message.Ordinal, r.After
	}
	if _, err := tx.Exec(ctx, sqlOfferLater, ws, runs, ordinals, after, unclaimed); err != nil {
		return fmt.Errorf("offer messages later: %w", err)
	}
	return nil
}
