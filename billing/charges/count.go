// Package charges owns how a run's messages came out, counted by everything
// their price depends on, and the bill of it: which tier of the month each
// message fell in and what it cost by which rate card.
//
// The scheduler calls Due and Count; billing/estimate, billing/cost and
// billing/budget read. It changes nothing of the ledger and must not know HTTP.
package charges

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Outcomes of a message as far as money is concerned.
const (
	Delivered  = "delivered"
	Suppressed = "suppressed"
	Failed     = "failed"
	Open       = "open" // on its way, or Meta has not said
)

// Waiting is a run whose counts are older than its messages.
type Waiting struct {
	Workspace id.Workspace
	Run       id.Run
}

// sqlDue finds the runs to count again: those that are on their way or got a
// receipt, the larger the less often, so that counting takes about one part in
// a hundred of a core whatever their size; and those of the last days whose
// picture was drawn after the count. Meta repeats receipts for seven days.
const sqlDue = `
select r.workspace_id, r.id
from run r
left join run_count c on c.workspace_id = r.workspace_id and c.run_id = r.id
where (r.settled_at is null and (r.state <> 'planning' or r.planned > 0)
    or r.touched_at is not null)
  and (c.run_id is null
    or c.counted_at <= bareed_now() - greatest(interval '10 seconds', make_interval(secs => c.messages / 10000.0)))
union
select r.workspace_id, r.id
from run r
join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
left join run_count c on c.workspace_id = r.workspace_id and c.run_id = r.id
where r.settled_at > bareed_now() - interval '8 days'
  and s.at > coalesce(c.counted_at, '-infinity')
  and (c.run_id is null
    or c.counted_at <= bareed_now() - greatest(interval '10 seconds', make_interval(secs => c.messages / 10000.0)))
order by 2`

// Due lists the runs to count, asked as the engine.
func Due(ctx context.Context, engine pg.DB) ([]Waiting, error) {
	return pg.All(ctx, engine, "find runs to count", pgx.RowToStructByPos[Waiting], sqlDue)
}

// sqlNoteCount comes first: the row's lock lets one count of a run pass at a
// time, and the time is from before the messages are read, so that what changes
// meanwhile is counted again.
const sqlNoteCount = `
insert into run_count (workspace_id, run_id, messages)
select r.workspace_id, r.id, r.planned
from run r
where r.workspace_id = $1
  and r.id = $2
on conflict (workspace_id, run_id) do update
set counted_at = bareed_now(),
    messages = excluded.messages`

// sqlForgetCharges is not reached for a run whose messages were dropped by
// retention: what is kept of it then are these counts.
const sqlForgetCharges = `
delete from run_charge
where workspace_id = $1
  and run_id = $2`

const sqlHasMessages = `
select exists (
    select from message
    where workspace_id = $1
      and run_id = $2)`

// sqlCount reads the run's messages once. A receipt's own words are kept as they
// are; what they mean is decided when they are read.
const sqlCount = `
insert into run_charge (workspace_id, run_id, portfolio_id, outcome, day, country, model, type, category, billable, messages)
select $1, $2, r.portfolio_id, x.outcome, (x.at at time zone w.zone)::date, x.country,
    coalesce(x.pricing->>'pricing_model', ''), coalesce(x.pricing->>'type', ''), coalesce(x.pricing->>'category', ''),
    coalesce(x.pricing->>'billable' = 'true', false), count(*)
from (
    select m.country,
        case
            when m.state in ('delivered', 'read', 'played') then 'delivered'
            when m.state in ('suppressed', 'failed') then m.state
            else 'open'
        end as outcome,
        case when m.state in ('delivered', 'read', 'played')
            then coalesce(m.delivered_at, m.read_at, m.played_at, m.updated_at) else now.at end as at,
        case when m.state in ('delivered', 'read', 'played') then m.pricing end as pricing
    from message m, (select bareed_now() as at) now
    where m.workspace_id = $1
      and m.run_id = $2) x
join run r on r.workspace_id = $1 and r.id = $2
join workspace w on w.workspace_id = $1
group by r.portfolio_id, 4, 5, 6, 7, 8, 9, 10`

// Count counts a run's messages anew; the old counts go in the same transaction.
// It reads the whole run (about a second for a million), so it is called as Due
// says and never for a page.
func Count(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlNoteCount, ws, run); err != nil {
		return fmt.Errorf("note the count of the run: %w", err)
	}
	var there bool
	if err := tx.QueryRow(ctx, sqlHasMessages, ws, run).Scan(&there); err != nil {
		return fmt.Errorf("look for the run's messages: %w", err)
	}
	if !there {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlForgetCharges, ws, run); err != nil {
		return fmt.Errorf("forget the old counts of the run: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlCount, ws, run); err != nil {
		return fmt.Errorf("count the run: %w", err)
	}
	return nil
}
