//go:build unix

package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/campaigns/caps"
	"bareed/campaigns/plan"
	"bareed/internal/id"
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
