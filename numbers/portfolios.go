package numbers

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlPortfolios = `
select n.portfolio_id, f.meta_business_id, f.messaging_limit, f.limit_known, f.reserve, f.places
from (
    select distinct portfolio_id
    from number
    where workspace_id = $1
      and disconnected_at is null) n
cross join lateral portfolio_figures(n.portfolio_id) f
order by n.portfolio_id`

// Portfolios reads the limits of every portfolio in which the workspace has a
// connected number.
func Portfolios(ctx context.Context, tx pgx.Tx, ws id.Workspace) ([]Portfolio, error) {
	return pg.All(ctx, tx, "read the messaging limits", pgx.RowToStructByPos[Portfolio], sqlPortfolios, ws)
}

// sqlOwnPlaces counts rows only where another workspace has numbers of the
// portfolio too, and then at most as many as its limit, 100,000: a portfolio
// without one keeps none. Everywhere else all places are the workspace's own.
const sqlOwnPlaces = `
select p.id, case
    when exists (
        select from number n
        where n.portfolio_id = p.id
          and n.workspace_id <> $1)
    then (
        select coalesce(sum(l.n), 0)::bigint
        from (
            select run_id, count(*) as n
            from place
            where portfolio_id = p.id
              and freed_at is null
            group by run_id) l
        join run r on r.id = l.run_id
        where r.workspace_id = $1)
    else p.places end
from portfolio p
where p.id = any ($2)`

// OwnPlaces counts the places that the workspace's own runs took, by portfolio,
// as engine: places of other workspaces share the portfolio's limit.
func OwnPlaces(ctx context.Context, engine pg.DB, ws id.Workspace, portfolios []Portfolio) (map[id.Portfolio]int64, error) {
	ids := make([]id.Portfolio, len(portfolios))
	for i, p := range portfolios {
		ids[i] = p.ID
	}
	rows, err := engine.Query(ctx, sqlOwnPlaces, ws, ids)
	if err != nil {
		return nil, fmt.Errorf("count the workspace's places: %w", err)
	}
	own := map[id.Portfolio]int64{}
	var p id.Portfolio
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&p, &n}, func() error { own[p] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count the workspace's places: %w", err)
	}
	return own, nil
}
