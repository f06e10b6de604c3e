//go:build unix

package bench

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/messages/behind"
	"bareed/messages/unknown"
)

// proving are the statements of the certificate, of the pages and the rule about
// messages without an answer, and of a database that has forgotten.
func (c *crowd) proving() []call {
	run := c.run.run
	const certificatePage = 2000
	everything := float64(c.rows) * 1.2
	page := func(name string, most float64, do func(ctx context.Context, tx pgx.Tx) error) call {
		return call{name: name, page: true, most: most, do: do}
	}
	return []call{
		page("certificate: a page of people", 3*certificatePage, func(ctx context.Context, tx pgx.Tx) error {
			return perform(ctx, tx, "campaigns/certificate/people.go", "sqlPeople", c.ws, run, max(0, c.cursor-certificatePage), certificatePage)
		}),
		page("unconfirmed: count them", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := unknown.CountOpen(ctx, tx, c.ws, run)
			return err
		}),
		page("unconfirmed: lock them", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := unknown.LockOpen(ctx, tx, c.ws, run)
			return err
		}),
		page("unknown: those overdue", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			return perform(ctx, tx, "messages/unknown/evidence.go", "sqlOverdue", c.ws, run, 15*time.Minute, fewRows)
		}),
		page("unknown: their neighbours (counts the run)", everything, func(ctx context.Context, tx pgx.Tx) error {
			ordinals, times := make([]int32, together), make([]time.Time, together)
			for i, m := range c.below() {
				ordinals[i], times[i] = m.Ordinal, time.Now()
			}
			return perform(ctx, tx, "messages/unknown/evidence.go", "sqlNeighbours", c.ws, run, ordinals, times, unknown.Around)
		}),
		page("doubt what was handed over", 2*fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := behind.Doubt(ctx, tx, behind.Run{Workspace: c.ws, ID: run, Planned: int32(c.rows)}, int32(c.cursor+together), time.Now())
			return err
		}),
		{name: "how far the database has come", engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := behind.Raise(ctx, tx, behind.Mark{Installation: uuid.Nil})
			return err
		}},
	}
}

// perform runs a statement of the product by its name.
func perform(ctx context.Context, tx pgx.Tx, file, name string, args ...any) error {
	sql, err := constant(file, name)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, sql, args...)
	return err
}
