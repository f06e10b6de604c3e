package messages

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// sqlFreePlaces gives back the places of messages that definitely will not
// arrive: only of those whose row says so now. A late answer to an old claim must
// not free the place on which a newer one is on its way.
const sqlFreePlaces = `
select place_free(x.id, x.ordinals, x.hashes, x.portfolio_id)
from (
    select r.id, r.portfolio_id, array_agg(m.ordinal) as ordinals, array_agg(m.recipient_hash) as hashes
    from run r
    cross join unnest($3::int[]) as o(ordinal)
    cross join lateral (
        select m.ordinal, m.recipient_hash
        from message m
        where m.run_id = r.id
          and m.ordinal = o.ordinal
          and m.workspace_id = $1
          and m.state in ('failed', 'suppressed')
        offset 0) m
    where r.workspace_id = $1
      and r.id = $2
    group by r.id, r.portfolio_id) x`

// queueFreePlaces adds it for each run, in order, so that two recorders do not
// deadlock.
func queueFreePlaces(b *pgx.Batch, ws id.Workspace, over []id.Message) {
	ordinals := map[id.Run][]int32{}
	for _, m := range over {
		ordinals[m.Run] = append(ordinals[m.Run], m.Ordinal)
	}
	runs := slices.SortedFunc(maps.Keys(ordinals), func(a, b id.Run) int { return slices.Compare(a[:], b[:]) })
	for _, r := range runs {
		b.Queue(sqlFreePlaces, ws, r, ordinals[r])
	}
}

// freePlaces gives back the places of messages that failed or are suppressed.
func freePlaces(ctx context.Context, tx pgx.Tx, ws id.Workspace, over []id.Message) error {
	b := &pgx.Batch{}
	queueFreePlaces(b, ws, over)
	if b.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("free places: %w", err)
	}
	return nil
}

const sqlSettlePlaces = `select place_settle($1, $2, $3, $4, $5)`

// settling is what became of messages of one portfolio's.
type settling struct {
	runs      []id.Run
	ordinals  []int32
	hashes    [][]byte
	delivered []bool
}

// movePlaces counts the places of people whose message arrived and frees those
// of messages that failed or arrived inside a service window, portfolio by
// portfolio in order.
func movePlaces(ctx context.Context, tx pgx.Tx, moved []movedRow) error {
	all := map[id.Portfolio]*settling{}
	for _, m := range moved {
		if !m.Arrived && !m.Failed {
			continue
		}
		s := all[m.Portfolio]
		if s == nil {
			s = &settling{}
			all[m.Portfolio] = s
		}
		s.runs, s.ordinals, s.hashes = append(s.runs, m.Run), append(s.ordinals, m.Ordinal), append(s.hashes, m.Hash)
		s.delivered = append(s.delivered, m.Arrived && !m.Windowed)
	}
	if len(all) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	for _, p := range slices.SortedFunc(maps.Keys(all), func(a, b id.Portfolio) int { return slices.Compare(a[:], b[:]) }) {
		s := all[p]
		b.Queue(sqlSettlePlaces, s.runs, s.ordinals, s.hashes, s.delivered, p)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("settle places: %w", err)
	}
	return nil
}
