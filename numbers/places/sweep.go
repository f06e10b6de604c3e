package places

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// AtOnce is how many places one sweep takes away at most: the portfolio's lock is
// held meanwhile, and the next one comes in seconds.
const AtOnce = 20_000

const sqlLockAny = `select from portfolio where id = $1 for update`

const sqlSweep = `
select share, freed, run_id, quarter, count(*)
from place_sweep($1, $2)
group by 1, 2, 3, 4
order by 1, 2, 3, 4`

// Sweep removes the places of a portfolio that were freed or are over, AtOnce at
// most. The portfolio is locked first, as by a reservation, so that its own count
// and the shares' are the rows'.
func Sweep(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio) error {
	if _, err := tx.Exec(ctx, sqlLockAny, portfolio); err != nil {
		return fmt.Errorf("lock the portfolio: %w", err)
	}
	rows, err := tx.Query(ctx, sqlSweep, portfolio, AtOnce)
	if err != nil {
		return fmt.Errorf("sweep places: %w", err)
	}
	all := 0
	shares := map[string]int32{}
	b := &pgx.Batch{}
	var share string
	var freed bool
	var run id.Run
	var quarter time.Time
	var n int
	_, err = pgx.ForEachRow(rows, []any{&share, &freed, &run, &quarter, &n}, func() error {
		all += n
		shares[share] -= int32(n)
		if freed {
			b.Queue(sqlUndoUse, portfolio, quarter, run, n)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep places: %w", err)
	}
	if all == 0 {
		return nil
	}
	b.Queue(sqlAddPlaces, portfolio, -all)
	delete(shares, "")
	for name, n := range shares {
		b.Queue(sqlAddShares, portfolio, []string{name}, []int32{n})
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("sweep places: %w", err)
	}
	return nil
}

const sqlRecount = `select portfolio_recount($1)`

// Recount counts the people of a portfolio that had no limit until now. Twice
// does no harm.
func Recount(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio) error {
	if _, err := tx.Exec(ctx, sqlRecount, portfolio); err != nil {
		return fmt.Errorf("count a portfolio's people: %w", err)
	}
	return nil
}

// sqlForgetUse: the calendar goes back 90 days, as the messages do.
const sqlForgetUse = `delete from place_use where at < bareed_now() - interval '90 days'`

// ForgetUse removes from the calendar what is too old.
func ForgetUse(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, sqlForgetUse); err != nil {
		return fmt.Errorf("forget the use of places: %w", err)
	}
	return nil
}
