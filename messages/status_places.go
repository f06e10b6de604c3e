package messages

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

const sqlCountPlaces = `select place_count($1, $2)`

// movePlaces counts the places of people whose message arrived and frees those
// of messages that failed, portfolio by portfolio in order.
func movePlaces(ctx context.Context, tx pgx.Tx, moved []movedRow) error {
	arrived, failed := map[id.Portfolio][][]byte{}, map[id.Portfolio][]Result{}
	for _, m := range moved {
		if m.Arrived {
			arrived[m.Portfolio] = append(arrived[m.Portfolio], m.Hash)
		}
		if m.Failed {
			failed[m.Portfolio] = append(failed[m.Portfolio], Result{Message: m.subject().message, Hash: m.Hash,
				Portfolio: m.Portfolio, State: Failed})
		}
	}
	all := slices.AppendSeq(slices.Collect(maps.Keys(arrived)), maps.Keys(failed))
	slices.SortFunc(all, func(a, b id.Portfolio) int { return slices.Compare(a[:], b[:]) })
	b := &pgx.Batch{}
	for _, p := range slices.Compact(all) {
		if len(arrived[p]) > 0 {
			b.Queue(sqlCountPlaces, arrived[p], p)
		}
		queueFreePlaces(b, failed[p])
	}
	if b.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("move places: %w", err)
	}
	return nil
}
