// Package overview owns the pictures across campaigns: a workspace's figures by
// day, what is under way and what is held, for its home page; and the backlog
// over all workspaces, for the operator. All of it is read from runs and their
// snapshots, never by counting messages.
//
// web calls it. It must not know HTTP, and it changes nothing.
package overview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Day is the figures of the campaigns that began sending on a day, counted in
// people. Delivered is a part of Accepted.
type Day struct {
	Day        time.Time // its beginning in the zone asked for
	Accepted   int64
	Delivered  int64
	Failed     int64
	Suppressed int64
}

// sqlDays is bounded by the runs of the time asked for and the longest schedule
// before it: ids are made in order of time.
const sqlDays = `
select (coalesce(r.started_at, r.starts_at) at time zone $2)::date,
    sum(s.accepted)::bigint, sum(s.delivered)::bigint, sum(f.n)::bigint, sum(p.n)::bigint
from run r
join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
cross join lateral (select coalesce(sum(value::bigint), 0) as n from jsonb_each_text(s.failed)) f
cross join lateral (select coalesce(sum(value::bigint), 0) as n from jsonb_each_text(s.suppressed)) p
where r.workspace_id = $1
  and r.id >= uuid_at($3::timestamptz - interval '90 days')
  and r.kind = 'campaign'
  and coalesce(r.started_at, r.starts_at) >= $3
group by 1`

// Days lists the last n days in that zone up to today, oldest first, also those
// without a campaign.
func Days(ctx context.Context, db pg.DB, ws id.Workspace, now time.Time, zone *time.Location, n int) ([]Day, error) {
	now = now.In(zone)
	days := make([]Day, n)
	at := make(map[string]*Day, n)
	for i := range days {
		days[i].Day = time.Date(now.Year(), now.Month(), now.Day()-n+1+i, 0, 0, 0, 0, zone)
		at[days[i].Day.Format(time.DateOnly)] = &days[i]
	}
	rows, err := db.Query(ctx, sqlDays, ws, zone.String(), days[0].Day)
	if err != nil {
		return nil, fmt.Errorf("sum the days: %w", err)
	}
	var day time.Time
	var d Day
	_, err = pgx.ForEachRow(rows, []any{&day, &d.Accepted, &d.Delivered, &d.Failed, &d.Suppressed}, func() error {
		if known := at[day.Format(time.DateOnly)]; known != nil {
			d.Day = known.Day
			*known = d
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum the days: %w", err)
	}
	return days, nil
}

// Underway is the campaigns that are sending now, together.
type Underway struct {
	Campaigns int64
	People    int64 // to be messaged or left out
	Done      int64 // neither waiting nor on their way
	Ever      bool  // a campaign was launched at any time
}

const sqlUnderway = `
select count(r.id), coalesce(sum(greatest(r.expected, s.total)), 0)::bigint,
    coalesce(sum(s.total - s.ready - s.sending), 0)::bigint,
    exists (
        select from run
        where workspace_id = $1
          and kind = 'campaign')
from run r
left join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
where r.workspace_id = $1
  and r.kind = 'campaign'
  and r.state in ('planning', 'running', 'finishing')
  and r.starts_at <= bareed_now()`

// GetUnderway sums what is being sent.
func GetUnderway(ctx context.Context, db pg.DB, ws id.Workspace) (Underway, error) {
	var u Underway
	if err := db.QueryRow(ctx, sqlUnderway, ws).Scan(&u.Campaigns, &u.People, &u.Done, &u.Ever); err != nil {
		return u, fmt.Errorf("sum what is under way: %w", err)
	}
	return u, nil
}

// Held is an open stop with the name of what it holds. Campaign is zero unless
// the stop is on a campaign or a run of one.
type Held struct {
	Scope    string
	ScopeID  [16]byte
	Reason   string
	ByRule   bool
	Since    time.Time
	Until    *time.Time
	Campaign id.Campaign
	Name     string
}

// sqlHeld leaves out what holds an ended campaign: nothing waits there.
const sqlHeld = `
select s.scope, s.scope_id, s.reason, s.by_rule, s.since, s.until, c.id,
    coalesce(c.name, t.name, n.display_phone, w.name, '')
from stop s
left join run r on s.scope = 'run' and r.workspace_id = s.workspace_id and r.id = s.scope_id
left join campaign c on s.scope in ('campaign', 'run') and c.workspace_id = s.workspace_id
    and c.id = coalesce(r.campaign_id, s.scope_id)
left join template t on s.scope = 'template' and t.workspace_id = s.workspace_id and t.id = s.scope_id
left join number n on s.scope = 'number' and n.workspace_id = s.workspace_id and n.id = s.scope_id
left join waba w on s.scope = 'waba' and w.workspace_id = s.workspace_id and w.id = s.scope_id
where s.workspace_id = $1
  and s.cleared_at is null
  and (s.until is null or s.until > bareed_now())
  and (c.state is null or c.state not in ('completed', 'stopped', 'expired', 'failed'))
  and n.disconnected_at is null
order by s.since desc, s.id
limit $2`

// ListHeld lists the open stops, newest first, at most limit.
func ListHeld(ctx context.Context, db pg.DB, ws id.Workspace, limit int) ([]Held, error) {
	return pg.All(ctx, db, "list what is held", pgx.RowToStructByPos[Held], sqlHeld, ws, limit)
}
