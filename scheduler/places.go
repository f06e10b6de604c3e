package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers/places"
)

// sqlPlacesOver reads what is over, by time, and no more than a sweep takes away.
const sqlPlacesOver = `
select distinct portfolio_id
from (
    select portfolio_id
    from place
    where over_at <= bareed_now()
    order by over_at
    limit 20000) over
order by 1`

const sqlToRecount = `select id from portfolio where recount order by id`

// places frees the places under the portfolios' limits that are over, and counts
// the people of portfolios that have a limit since now. One portfolio's trouble
// does not keep the next from its places.
func (s *Scheduler) places(ctx context.Context) error {
	for _, job := range []struct {
		what, find string
		do         func(context.Context, pgx.Tx, id.Portfolio) error
	}{{"count people", sqlToRecount, places.Recount}, {"free places", sqlPlacesOver, places.Sweep}} {
		all, err := pg.All(ctx, s.Pool.Engine(), "find portfolios", pgx.RowTo[id.Portfolio], job.find)
		if err != nil {
			return err
		}
		for _, p := range all {
			err := s.Pool.InEngine(ctx, func(tx pgx.Tx) error { return job.do(ctx, tx, p) })
			if err != nil {
				s.Log.Error(job.what, "portfolio", p, "error", err)
			}
		}
	}
	return nil
}
