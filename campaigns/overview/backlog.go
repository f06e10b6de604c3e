package overview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Open is a run that is not over, in numbers only.
type Open struct {
	Workspace id.Workspace
	Name      string // of the workspace
	Run       id.Run
	Campaign  id.Campaign // zero for a run of another kind
	State     string
	StartsAt  time.Time
	Waiting   int64 // people not yet handed over
	Sending   int64
	Unknown   int64
	Accepted  int64
	At        *time.Time // when the picture was drawn
	Moved     *time.Time // when Waiting last changed
	Full      bool       // the portfolio's limit is used up
	Gated     bool       // it has come to the end of its open wave
	Stops     []string   // reasons of the stops that hold it
}

// Stuck tells whether the run may send, has people waiting, and has not moved
// for so long.
func (o Open) Stuck(now time.Time, quiet time.Duration) bool {
	return o.State == "running" && o.Waiting > 0 && len(o.Stops) == 0 && !o.Full && !o.Gated &&
		now.Sub(o.StartsAt) > quiet && o.Moved != nil && now.Sub(*o.Moved) > quiet
}

const sqlOpen = `
select r.workspace_id, w.name, r.id, r.campaign_id, r.state, r.starts_at,
    coalesce(s.ready, r.planned), coalesce(s.sending, 0), coalesce(s.unknown, 0), coalesce(s.accepted, 0), s.at, s.moved_at,
    coalesce(p.limit_known and p.places >= p.messaging_limit * (1 - p.reserve), false),
    coalesce(r.fed >= least(r.wave_to, r.budget_to), false),
    array(
        select distinct t.reason
        from stop t
        where t.workspace_id = r.workspace_id
          and t.scope_id = any (array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id, r.template_id, r.campaign_id, r.id])
          and t.cleared_at is null
          and (t.until is null or t.until > bareed_now())
        order by 1)
from run r
join workspace w on w.workspace_id = r.workspace_id
left join portfolio p on p.id = r.portfolio_id
left join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
where r.state in ('planning', 'running', 'finishing')
  and r.starts_at <= bareed_now()
order by coalesce(s.moved_at, r.starts_at), r.id
limit $1`

// ListOpen lists the runs of all workspaces that are not over, as engine, those
// first that have not moved for longest.
func ListOpen(ctx context.Context, engine pg.DB, limit int) ([]Open, error) {
	return pg.All(ctx, engine, "list open runs", pgx.RowToStructByPos[Open], sqlOpen, limit)
}

// Intake is the webhook bodies that are stored and not yet applied.
type Intake struct {
	Waiting int64 // at most 10,000: that many or more
	Oldest  *time.Time
}

const sqlIntake = `
select count(*), min(received_at)
from (
    select received_at
    from event
    where state = 'new'
    order by received_at
    limit 10000) e`

// GetIntake reads how far behind the application of webhooks is, as engine.
func GetIntake(ctx context.Context, engine pg.DB) (Intake, error) {
	var i Intake
	if err := engine.QueryRow(ctx, sqlIntake).Scan(&i.Waiting, &i.Oldest); err != nil {
		return i, fmt.Errorf("look at the stored webhooks: %w", err)
	}
	return i, nil
}
