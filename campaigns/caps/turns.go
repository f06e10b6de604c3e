package caps

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlAlone = `
select
from sending_rule
where workspace_id = $1
for update`

// sqlPatience: another chunk may take seconds on a busy machine; what is given up
// before the run's lease ends is tried again.
const (
	sqlPatience = `select set_config('lock_timeout', $1, true)`
	sqlUsual    = `select current_setting('lock_timeout')`
)

// Alone lets one chunk of one run of the workspace be planned at a time, until the
// transaction ends: two campaigns planned in the same hour to the same people see
// each other's turns, so that the claim need not count again. It comes before any
// other lock.
func Alone(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	var usual string
	if err := tx.QueryRow(ctx, sqlUsual).Scan(&usual); err != nil {
		return fmt.Errorf("wait for the turn to plan: %w", err)
	}
	for _, step := range []struct {
		sql string
		arg any
	}{{sqlPatience, "12s"}, {sqlAlone, ws}, {sqlPatience, usual}} {
		if _, err := tx.Exec(ctx, step.sql, step.arg); err != nil {
			return fmt.Errorf("wait for the turn to plan: %w", err)
		}
	}
	return nil
}

// sqlTurns asks for each person's turns by the key, and for each turn's message by
// its key: a person has few. What waits counts as of now, because it will still go;
// what was left out or has failed does not count.
const sqlTurns = `
select t.contact_id, case when m.state = 'ready' then greatest(t.at, bareed_now()) else coalesce(m.claimed_at, t.at) end
from unnest($2::uuid[]) as p(contact_id)
cross join lateral (
    select t.contact_id, t.run_id, t.ordinal, t.at
    from frequency_turn t
    where t.workspace_id = $1
      and t.contact_id = p.contact_id
      and t.run_id <> $3
      and t.at > $4
    offset 0) t
cross join lateral (
    select m.state, m.claimed_at
    from message m
    where m.run_id = t.run_id
      and m.ordinal = t.ordinal
      and m.workspace_id = $1
      and m.contact_id = t.contact_id
      and m.state not in ('suppressed', 'failed')
    offset 0) m`

// Turns reads when these people got or will get marketing of the workspace's other
// runs, as far back as the rules look from an instant. run is left out; zero: none.
func Turns(ctx context.Context, db pg.DB, ws id.Workspace, rules []Frequency, run id.Run, at time.Time, people []id.Contact) (map[id.Contact][]time.Time, error) {
	rows, err := db.Query(ctx, sqlTurns, ws, people, [16]byte(run), at.Add(-Longest(rules)-waited))
	if err != nil {
		return nil, fmt.Errorf("read how often people were messaged: %w", err)
	}
	turns := map[id.Contact][]time.Time{}
	var who id.Contact
	var when time.Time
	_, err = pgx.ForEachRow(rows, []any{&who, &when}, func() error {
		turns[who] = append(turns[who], when)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how often people were messaged: %w", err)
	}
	return turns, nil
}

const sqlTake = `
insert into frequency_turn (workspace_id, contact_id, run_id, ordinal, at)
select $1, t.contact_id, $2, t.ordinal, $5
from unnest($3::uuid[], $4::int[]) as t(contact_id, ordinal)
on conflict do nothing`

// Take takes a turn for each of these messages of a run, in the transaction that
// plans them.
func Take(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, at time.Time, people []id.Contact, ordinals []int32) error {
	if len(people) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlTake, ws, run, people, ordinals, at); err != nil {
		return fmt.Errorf("take turns: %w", err)
	}
	return nil
}

// sqlSweep goes by the index of times, oldest first, and takes no more than one
// transaction's worth. By their place in the table, because a join would read all
// of it when the statistics are old; nothing moves a turn.
const sqlSweep = `
delete from frequency_turn
where ctid = any (array(
    select o.ctid
    from frequency_turn o
    where o.at < bareed_now() - $1::interval
    order by o.at
    limit $2))`

// sweepSize is how many turns one transaction of Sweep forgets.
const sweepSize = 20_000

// Sweep forgets turns that no rule looks back to, as engine; more: there may be
// others.
func Sweep(ctx context.Context, tx pgx.Tx) (more bool, err error) {
	tag, err := tx.Exec(ctx, sqlSweep, kept, sweepSize)
	if err != nil {
		return false, fmt.Errorf("forget old turns: %w", err)
	}
	return tag.RowsAffected() == sweepSize, nil
}
