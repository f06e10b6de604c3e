//go:build unix

package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/campaigns/caps"
	"bareed/campaigns/plan"
	"bareed/campaigns/warnings"
	"bareed/campaigns/waves"
	"bareed/internal/id"
	"bareed/messages/halts"
)

// A workspace with a frequency rule, of which everybody has a turn, and as many
// others cool off: the claim asks for each of its people.
const (
	fillTurns = `
insert into frequency_turn (workspace_id, contact_id, run_id, ordinal, at)
select $1, ` + rowOf + `, $4, i, now()
from generate_series($2::int, $3::int) as i`

	fillTurnsOver = `
update frequency_turn
set at = now() - interval '70 days'
where run_id = $1
  and ordinal <= 500`

	fillCoolOff = `
insert into cool_off (workspace_id, recipient_hash, until)
select $1, decode(md5('cool' || i), 'hex'), now() + interval '1 day'
from generate_series($2::int, $3::int) as i`
)

func (c *crowd) fillCaps(ctx context.Context) error {
	for _, f := range []struct {
		sql  string
		args []any
	}{
		{fillTurns, []any{c.ws, 1, c.rows, c.run.run}},
		{fillTurnsOver, []any{c.run.run}},
		{fillCoolOff, []any{c.ws, 1, c.rows}},
	} {
		if err := c.quickly(ctx, f.sql, f.args...); err != nil {
			return err
		}
	}
	return nil
}

// capping are the statements of the caps: a chunk's of planning, the sweep's, and
// the leader's look at a run with a budget.
func (c *crowd) capping() []call {
	rules := []caps.Frequency{{Most: 2, Days: 7}}
	people := func() []id.Contact {
		list := make([]id.Contact, plan.Size)
		for i := range list {
			list[i] = id.Contact(uuid.MustParse(fmt.Sprintf("01890000-0000-7000-8000-%012x", 1000+i)))
		}
		return list
	}
	const step = 10_000 // the boundary's, in billing/budget
	return []call{
		{name: "plan: turns of 2,000 people", page: true, most: 3 * plan.Size, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := caps.Turns(ctx, tx, c.ws, rules, id.Run{}, time.Now(), people())
			return err
		}},
		{name: "plan: take 2,000 turns", page: true, most: 3 * plan.Size, do: func(ctx context.Context, tx pgx.Tx) error {
			ordinals := make([]int32, plan.Size)
			return caps.Take(ctx, tx, c.ws, id.New[id.Run](), time.Now(), people(), ordinals)
		}},
		{name: "sweep turns", engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := caps.Sweep(ctx, tx)
			return err
		}},
		{name: "budget: who comes next", page: true, most: 1.2 * step, do: func(ctx context.Context, tx pgx.Tx) error {
			return perform(ctx, tx, "billing/budget/tick.go", "sqlAhead", c.ws, c.run.run, c.cursor, c.cursor+step)
		}},
		{name: "budget: who is still to leave", page: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			return perform(ctx, tx, "billing/budget/tick.go", "sqlWaiting", c.ws, c.run.run, c.cursor)
		}},
	}
}

// What runs have left behind over years: their first hours, their warnings, and
// templates whose messages Meta once dropped.
const (
	fillHours = `
insert into run_hour (workspace_id, run_id, number_id, due_at, measured_at, delivered, read)
select $1, ` + rowOf + `, $4, now() - interval '1 minute' * (i + 10), now(), 500, 300
from generate_series($2::int, $3::int) as i`

	fillWarnings = `
insert into run_warning (workspace_id, run_id, campaign_id, reason, threshold, measured, at)
select $1, ` + rowOf + `, $4, 'reads_low', '< 30 %', '10 %', now() - interval '8 days' - interval '1 minute' * i
from generate_series($2::int, $3::int) as i`

	fillDrops = `
insert into template_drop (workspace_id, template_id, portfolio_id, meta_template_id, dropped_at)
select $1, ` + rowOf + `, $4, i::text, now() - interval '2 days' - interval '1 minute' * i
from generate_series($2::int, $3::int) as i`

	// dueHour is the large run's own, whose first hour is over.
	dueHour = `
insert into run_hour (workspace_id, run_id, number_id, due_at)
values ($1, $2, $3, now() - interval '1 minute')
on conflict do nothing`
)

func (c *crowd) fillRules(ctx context.Context) error {
	if err := c.quickly(ctx, fillHours, c.ws, 1, c.rows, c.run.number.ID); err != nil {
		return err
	}
	if err := c.quickly(ctx, fillWarnings, c.ws, 1, c.rows, c.run.campaign); err != nil {
		return err
	}
	if err := c.quickly(ctx, fillDrops, c.ws, 1, c.rows, c.folio); err != nil {
		return err
	}
	return c.quickly(ctx, dueHour, c.ws, c.run.run, c.run.number.ID)
}

// ruling are the statements that hold runs against their rules, every second for
// each, and those that warn.
func (c *crowd) ruling() []call {
	page := func(name string, most float64, do func(ctx context.Context, tx pgx.Tx) error) call {
		return call{name: name, page: true, most: most, do: do}
	}
	return []call{
		// It looks at the last 5,000 people handed over.
		page("hold a run against its rules", 5*fewRows, func(ctx context.Context, tx pgx.Tx) error {
			return waves.Tick(ctx, tx, c.ws, c.run.run, breaker.Limits{})
		}),
		page("measure a first hour", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			return waves.Hour(ctx, tx, c.ws, c.run.run, breaker.Limits{})
		}),
		page("list warnings", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := warnings.Since(ctx, tx, c.ws, time.Now().AddDate(0, 0, -7), 10)
			return err
		}),
		page("look for a judged portfolio", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			return halts.Look(ctx, tx, c.ws, c.folio)
		}),
	}
}
