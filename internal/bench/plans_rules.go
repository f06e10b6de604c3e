//go:build unix

package bench

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/campaigns/warnings"
	"bareed/campaigns/waves"
	"bareed/messages/halts"
)

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
