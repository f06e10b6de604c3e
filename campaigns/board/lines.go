// Package board owns what the pages of campaigns show beside the campaign
// itself: the words and figures of a list's rows, how fast a run went, what
// stopped it and when, and one message's way. Every query is bounded, however
// many people a campaign has.
//
// web calls it inside a transaction of the caller's workspace. It decides
// nothing and changes nothing.
package board

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Line is what a row of the list shows beside the campaign. The figures are
// those of the run's last snapshot; all are 0 before the launch.
type Line struct {
	Campaign   id.Campaign
	Phone      string // of the number, as Meta writes it
	NumberName string
	Template   string
	Language   string
	StartsAt   *time.Time // nil before the launch
	At         *time.Time // of the figures
	Total      int64      // planned so far, or expected while there is no plan
	Suppressed int64
	Waiting    int64
	Accepted   int64
	Delivered  int64
	Read       int64
	Failed     int64
}

const sqlLines = `
select c.id, n.display_phone, n.verified_name, t.name, t.language, r.starts_at, s.at,
    coalesce(nullif(s.total, 0), r.expected, 0),
    (select coalesce(sum(e.people::bigint), 0)::bigint from jsonb_each_text(s.suppressed) as e(reason, people)),
    coalesce(s.ready + s.sending, 0), coalesce(s.accepted, 0), coalesce(s.delivered, 0), coalesce(s.read, 0),
    (select coalesce(sum(e.people::bigint), 0)::bigint from jsonb_each_text(s.failed) as e(reason, people))
from campaign c
join number n on n.workspace_id = c.workspace_id and n.id = c.number_id
join template t on t.workspace_id = c.workspace_id and t.id = c.template_id
left join lateral (
    select r.id, r.starts_at, r.expected
    from run r
    where r.workspace_id = c.workspace_id
      and r.campaign_id = c.id
      and r.kind = 'campaign'
    order by r.id desc
    limit 1) r on true
left join run_snapshot s on s.workspace_id = c.workspace_id and s.run_id = r.id
where c.workspace_id = $1
  and c.id = any ($2)`

// Lines reads the rows of those campaigns, with one query.
func Lines(ctx context.Context, db pg.DB, ws id.Workspace, of ...id.Campaign) (map[id.Campaign]Line, error) {
	list, err := pg.All(ctx, db, "read the rows of campaigns", pgx.RowToStructByPos[Line], sqlLines, ws, of)
	if err != nil {
		return nil, err
	}
	by := make(map[id.Campaign]Line, len(list))
	for _, l := range list {
		by[l.Campaign] = l
	}
	return by, nil
}

// Choice is one value a list can be narrowed to: of Kind state (Value is the
// state), number or template (Value is its id), with how many campaigns have it.
type Choice struct {
	Kind  string
	Value string
	Name  string
	Note  string // a template's language
	Count int64
}

const sqlChoices = `
select 'state', c.state, '', '', count(*)
from campaign c
where c.workspace_id = $1
  and c.deleted_at is null
group by c.state
union all
(select 'number', n.id::text, n.display_phone, '', count(*)
from campaign c
join number n on n.workspace_id = c.workspace_id and n.id = c.number_id
where c.workspace_id = $1
  and c.deleted_at is null
group by n.id, n.display_phone
order by n.display_phone
limit 100)
union all
(select 'template', t.id::text, t.name, t.language, count(*)
from campaign c
join template t on t.workspace_id = c.workspace_id and t.id = c.template_id
where c.workspace_id = $1
  and c.deleted_at is null
group by t.id, t.name, t.language
order by t.name, t.language
limit 200)`

// Choices reads what the list of campaigns can be narrowed to, with one query.
// A number's and a template's Value is its bare UUID.
func Choices(ctx context.Context, db pg.DB, ws id.Workspace) ([]Choice, error) {
	return pg.All(ctx, db, "read what the list can be narrowed to", pgx.RowToStructByPos[Choice], sqlChoices, ws)
}
