package consents

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Overview is what a home page says of consent.
type Overview struct {
	OptOuts int64 // people who opted out since the time asked for
	Anybody bool  // somebody agreed and did not refuse since; it may be long ago
}

const sqlOverview = `
select
    (select count(distinct recipient_hash)
    from consent
    where workspace_id = $1
      and action = 'opt_out'
      and recorded_at >= $2),
    exists (
        select from permission
        where workspace_id = $1
          and granted)`

// GetOverview counts the refusals recorded since then.
func GetOverview(ctx context.Context, tx pgx.Tx, ws id.Workspace, since time.Time) (Overview, error) {
	var o Overview
	if err := tx.QueryRow(ctx, sqlOverview, ws, since).Scan(&o.OptOuts, &o.Anybody); err != nil {
		return o, fmt.Errorf("count the opt-outs: %w", err)
	}
	return o, nil
}
