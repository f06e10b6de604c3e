package occurrence

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Firing is one firing of a campaign that has a run: it waits, is on its way, or
// is over.
type Firing struct {
	RunID       id.Run     `json:"run_id"`
	State       string     `json:"state" doc:"The run's: planning (it waits), running, finishing, completed, stopped, missed, expired"`
	Reason      string     `json:"reason,omitempty" doc:"Why it was missed: late, superseded, previous_running, blocked:… with the stop's reason"`
	StartsAt    time.Time  `json:"starts_at" doc:"When it was due"`
	Zone        string     `json:"zone,omitempty"`
	Local       string     `json:"local,omitempty" doc:"The wall time as written"`
	StartedAt   *time.Time `json:"started_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	LateSeconds int64      `json:"late_seconds" doc:"How long after its time it began"`
	Total       int64      `json:"total"`
	Suppressed  int64      `json:"suppressed"`
	Accepted    int64      `json:"accepted"`
	Delivered   int64      `json:"delivered"`
	Failed      int64      `json:"failed"`
}

const sqlList = `
select r.id, r.state, coalesce(r.reason, ''), r.starts_at, coalesce(r.send_zone, ''),
    coalesce(to_char(r.send_local, 'YYYY-MM-DD"T"HH24:MI:SS'), ''), r.started_at, r.ended_at,
    case when r.started_at is null or r.recipient_time then 0
        else greatest(0, extract(epoch from r.started_at - r.starts_at))::bigint end,
    coalesce(s.total, 0), coalesce(gone.n, 0), coalesce(s.accepted, 0), coalesce(s.delivered, 0), coalesce(bad.n, 0)
from run r
left join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
left join lateral (select sum(value::bigint)::bigint as n from jsonb_each_text(s.suppressed)) gone on true
left join lateral (select sum(value::bigint)::bigint as n from jsonb_each_text(s.failed)) bad on true
where r.workspace_id = $1
  and r.campaign_id = $2
  and r.kind = 'campaign'
  and ($3::uuid is null or r.id < $3)
order by r.id desc
limit $4`

// List lists a campaign's firings that have a run, newest first, at most limit
// after one (zero: from the newest).
func List(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, after id.Run, limit int) ([]Firing, error) {
	return pg.All(ctx, db, "list firings", pgx.RowToStructByPos[Firing], sqlList, ws, campaign, after, limit)
}
