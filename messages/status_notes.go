package messages

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// sqlTouch marks runs that are over, so that their picture is drawn again. Of
// runs that are not, the picture is drawn anyway, and their row is left alone:
// every status would queue for its lock. The mark is renewed, not only set,
// because it says until when receipts may still be on their way to the commit.
const sqlTouch = `
update run
set touched_at = bareed_now()
where workspace_id = $1
  and id = any ($2)
  and settled_at is not null
  and (touched_at is null or touched_at < bareed_now() - interval '2 seconds')`

func touch(ctx context.Context, tx pgx.Tx, ws id.Workspace, moved []movedRow) error {
	var runs []id.Run
	for _, m := range moved {
		if !slices.Contains(runs, m.Run) {
			runs = append(runs, m.Run)
		}
	}
	if _, err := tx.Exec(ctx, sqlTouch, ws, runs); err != nil {
		return fmt.Errorf("mark ended runs: %w", err)
	}
	return nil
}

// sqlUntouch: a transaction that found a young mark and left it may not have
// committed yet, and the picture about to be drawn would miss it. Applying
// events may take 15 s.
const sqlUntouch = `
update run
set touched_at = null
where workspace_id = $1
  and id = $2
  and touched_at < bareed_now() - interval '20 seconds'`

// Untouch takes the mark off a run whose picture is about to be drawn again,
// unless it is so young that the next picture may differ.
func Untouch(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlUntouch, ws, run); err != nil {
		return fmt.Errorf("take the mark off a run: %w", err)
	}
	return nil
}

// sqlEchoSeen writes once in a number's life: a row that is no news is not locked.
const sqlEchoSeen = `
update number
set echo_seen_at = bareed_now()
where workspace_id = $1
  and id = $2
  and echo_seen_at is null`

func noteEcho(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []id.Number) error {
	slices.SortFunc(list, func(a, b id.Number) int { return slices.Compare(a[:], b[:]) })
	for _, n := range list {
		if _, err := tx.Exec(ctx, sqlEchoSeen, ws, n); err != nil {
			return fmt.Errorf("note the echo: %w", err)
		}
	}
	return nil
}
