package scheduler

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/numbers/places"
)

const sqlPortfoliosWithPlaces = `select id from portfolio where places > 0 order by id`

// places frees the places under the portfolios' limits that are over. One
// portfolio's trouble does not keep the next from its places.
func (s *Scheduler) places(ctx context.Context) error {
	rows, err := s.Pool.Engine().Query(ctx, sqlPortfoliosWithPlaces)
	if err != nil {
		return fmt.Errorf("find portfolios: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[id.Portfolio])
	if err != nil {
		return fmt.Errorf("find portfolios: %w", err)
	}
	for _, p := range all {
		err := s.Pool.InEngine(ctx, func(tx pgx.Tx) error { return places.Sweep(ctx, tx, p) })
		if err != nil {
			s.Log.Error("free places", "portfolio", p, "error", err)
		}
	}
	return nil
}
