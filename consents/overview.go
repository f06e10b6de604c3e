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
	Replied  int64 // people who refused in WhatsApp themselves since the time asked for: a word, a button, its switch
	Recorded int64 // other people of whom a refusal was recorded since then: by hand, a file or a program
	Anybody  bool  // somebody agreed and did not refuse since; it may be long ago
}

const sqlOverview = `
select
    count(distinct recipient_hash) filter (where method = any ($3)),
    count(distinct recipient_hash),
    exists (
        select from permission
        where workspace_id = $1
          and granted)
from consent
where workspace_id = $1
  and action = 'opt_out'
  and recorded_at >= $2`

// GetOverview counts the people whose refusals were recorded since then, each once.
func GetOverview(ctx context.Context, tx pgx.Tx, ws id.Workspace, since time.Time) (Overview, error) {
	var o Overview
	var all int64
	if err := tx.QueryRow(ctx, sqlOverview, ws, since, chatMethods()).Scan(&o.Replied, &all, &o.Anybody); err != nil {
		return o, fmt.Errorf("count the opt-outs: %w", err)
	}
	o.Recorded = all - o.Replied
	return o, nil
}
