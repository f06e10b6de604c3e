package campaigns

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Figures is the accounting of a run. Total is always the sum of Suppressed,
// Ready, Sending, Held, Accepted, Failed, Unknown and Unconfirmed; Sent,
// Delivered and Read are parts of Accepted.
type Figures struct {
	At          time.Time        `json:"at"`
	Total       int64            `json:"total" doc:"People planned so far."`
	Suppressed  map[string]int64 `json:"suppressed" doc:"Reason → people."`
	Ready       int64            `json:"ready"`
	Sending     int64            `json:"sending"`
	Held        int64            `json:"held" doc:"Accepted, and held by Meta for quality assessment."`
	Accepted    int64            `json:"accepted" doc:"Accepted or later."`
	Sent        int64            `json:"sent" doc:"Of those: sent or later."`
	Delivered   int64            `json:"delivered" doc:"Of those: delivered or later."`
	Read        int64            `json:"read" doc:"Of those: read or played."`
	Failed      map[string]int64 `json:"failed" doc:"Reason → people."`
	Unknown     int64            `json:"unknown" doc:"No answer and no receipt yet."`
	Unconfirmed int64            `json:"unconfirmed" doc:"No answer and no receipt for a day; never resent by itself."`
}

// Balanced tells whether the accounting identity holds.
func (f Figures) Balanced() bool {
	return f.Total == sum(f.Suppressed)+f.Ready+f.Sending+f.Held+f.Accepted+sum(f.Failed)+f.Unknown+f.Unconfirmed
}

func sum(m map[string]int64) int64 {
	var n int64
	for _, v := range m {
		n += v
	}
	return n
}

// sqlSnapshot counts and keeps in one statement: figures of one instant.
const sqlSnapshot = `
with g as (
    select state, coalesce(reason, '') as reason, count(*) as n
    from message
    where workspace_id = $1
      and run_id = $2
    group by 1, 2)
insert into run_snapshot (workspace_id, run_id, at, total, suppressed, ready, sending, held, accepted, sent, delivered,
    read, failed, unknown, unconfirmed)
select $1, $2, bareed_now(), coalesce(sum(n), 0),
    coalesce(jsonb_object_agg(reason, n) filter (where state = 'suppressed'), '{}'),
    coalesce(sum(n) filter (where state = 'ready'), 0),
    coalesce(sum(n) filter (where state = 'sending'), 0),
    coalesce(sum(n) filter (where state = 'held'), 0),
    coalesce(sum(n) filter (where state in ('accepted', 'sent', 'delivered', 'read', 'played')), 0),
    coalesce(sum(n) filter (where state in ('sent', 'delivered', 'read', 'played')), 0),
    coalesce(sum(n) filter (where state in ('delivered', 'read', 'played')), 0),
    coalesce(sum(n) filter (where state in ('read', 'played')), 0),
    coalesce(jsonb_object_agg(reason, n) filter (where state = 'failed'), '{}'),
    coalesce(sum(n) filter (where state = 'unknown'), 0),
    coalesce(sum(n) filter (where state = 'unconfirmed'), 0)
from g
on conflict (workspace_id, run_id) do update
set at = excluded.at, total = excluded.total, suppressed = excluded.suppressed, ready = excluded.ready,
    sending = excluded.sending, held = excluded.held, accepted = excluded.accepted, sent = excluded.sent,
    delivered = excluded.delivered, read = excluded.read, failed = excluded.failed, unknown = excluded.unknown,
    unconfirmed = excluded.unconfirmed,
    moved_at = case when (run_snapshot.total, run_snapshot.ready) = (excluded.total, excluded.ready) then run_snapshot.moved_at else excluded.at end
returning at, total, suppressed, ready, sending, held, accepted, sent, delivered, read, failed, unknown, unconfirmed`

// Snapshot counts a run's messages and keeps the picture that every viewer
// reads. Call it at most once a second per run.
func Snapshot(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	_, err := snapshot(ctx, tx, ws, run)
	return err
}

func snapshot(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (Figures, error) {
	f, err := scanFigures(tx.QueryRow(ctx, sqlSnapshot, ws, run))
	if err != nil {
		return f, fmt.Errorf("count the run: %w", err)
	}
	return f, nil
}

func scanFigures(row pgx.Row) (Figures, error) {
	var f Figures
	err := row.Scan(&f.At, &f.Total, &f.Suppressed, &f.Ready, &f.Sending, &f.Held, &f.Accepted, &f.Sent, &f.Delivered,
		&f.Read, &f.Failed, &f.Unknown, &f.Unconfirmed)
	return f, err
}
