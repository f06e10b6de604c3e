package plan

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/internal/pg"
)

const (
	// canaryFrom is how many people a run must have for anybody to be planned first:
	// the fewest that a workspace may have go in waves.
	canaryFrom = 100
	// canaryMost bounds those planned first, one transaction's worth.
	canaryMost = 5 * Size
	// canaryRecent is how many of the most recent consents are asked for reading.
	canaryRecent = 10 * Size
)

// sqlEngaged chooses who comes first: of those whose consent for the purpose is
// most recent, the ones who read a message of the workspace's last three runs, the
// newest reading first, and then the most recent consents. Asked once in a run's
// life; it reads the audience's consents, and of messages only a few for each of
// the most recent.
const sqlEngaged = `
with recent as (
    select p.contact_id, p.since
    from (
        select distinct m.contact_id
        from audience_member m
        where m.workspace_id = $1
          and m.audience_id = any ($2)) m
    join permission p on p.workspace_id = $1 and p.contact_id = m.contact_id and p.purpose = $3
    where p.granted
      and (p.expires_at is null or p.expires_at > bareed_now())
    order by p.since desc, p.contact_id
    limit $4
), last as (
    select r.id
    from run r
    where r.workspace_id = $1
      and r.kind = 'campaign'
      and r.started_at is not null
      and r.id <> $5
    order by r.id desc
    limit 3
)
select recent.contact_id
from recent
left join lateral (
    select max(m.read_at) as at
    from last
    cross join lateral (
        select m.read_at
        from message m
        where m.contact_id = recent.contact_id
          and m.run_id = last.id
          and m.workspace_id = $1
        offset 0) m) read on true
order by read.at desc nulls last, recent.since desc, recent.contact_id
limit $6`

// sqlByChance chooses by the hash of contact and run: anybody, another in each run,
// and the same when it is asked again.
const sqlByChance = `
select m.contact_id
from (
    select distinct m.contact_id
    from audience_member m
    where m.workspace_id = $1
      and m.audience_id = any ($2)) m
join permission p on p.workspace_id = $1 and p.contact_id = m.contact_id and p.purpose = $3
where p.granted
order by md5(m.contact_id::text || $4::uuid::text)
limit $5`

// sqlCanaryOrder is what the campaign sets, else its workspace, else the default.
const sqlCanaryOrder = `
select coalesce(
    (select b.settings->>'canary_order'
    from run r
    join breaker_setting b on b.workspace_id = r.workspace_id and b.subject_id = r.campaign_id
    where r.workspace_id = $1
      and r.id = $2),
    (select b.settings->>'canary_order'
    from breaker_setting b
    where b.workspace_id = $1
      and b.subject_id = $1),
    'engaged')`

// sqlChosen is sqlPeople of those chosen, in their order.
const sqlChosen = chosenMembers + whatIsKnown

const chosenMembers = `
with member as (
    select x.contact_id
    from unnest($2::uuid[]) as x(contact_id)
    where $3::uuid is not null
      and $4::int is not null)
`

// readCanary reads those who are planned before everybody else: max(500, 1 %) of
// the people, whether or not the run then goes in waves.
func readCanary(ctx context.Context, db pg.DB, v *accounts.Vault, s Scope, expected int64) ([]Person, error) {
	chosen, err := chooseCanary(ctx, db, s, int(min(canaryMost, max(500, (expected+99)/100))))
	if err != nil || len(chosen) == 0 {
		return nil, err
	}
	rows, err := db.Query(ctx, sqlChosen, s.Workspace, chosen, [16]byte{}, len(chosen), [16]byte(s.Portfolio), s.Purpose, s.Attributes)
	if err != nil {
		return nil, fmt.Errorf("read the canary: %w", err)
	}
	people, err := known(ctx, db, v, s, rows)
	if err != nil {
		return nil, err
	}
	by := make(map[id.Contact]Person, len(people))
	for _, p := range people {
		by[p.Contact] = p
	}
	ordered := make([]Person, 0, len(people))
	for _, c := range chosen {
		if p, ok := by[c]; ok {
			ordered = append(ordered, p)
		}
	}
	return ordered, nil
}

func chooseCanary(ctx context.Context, db pg.DB, s Scope, n int) ([]id.Contact, error) {
	var order string
	if err := db.QueryRow(ctx, sqlCanaryOrder, s.Workspace, s.Run).Scan(&order); err != nil {
		return nil, fmt.Errorf("read the canary's order: %w", err)
	}
	sql, args := sqlEngaged, []any{s.Workspace, s.Audiences, s.Purpose, max(n, canaryRecent), s.Run, n}
	if order == "random" {
		sql, args = sqlByChance, []any{s.Workspace, s.Audiences, s.Purpose, s.Run, n}
	}
	return pg.All(ctx, db, "choose the canary", pgx.RowTo[id.Contact], sql, args...)
}
