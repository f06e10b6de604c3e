//go:build unix

package bench

import (
	"context"
	"crypto/md5" //nolint:gosec // the rows' pretended hashes, see fillMessages
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/capacity"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers/places"
)

// The places of the run's own portfolio, as many as the largest limit; of others,
// so that the table is as large as the ledger; a few that are over; and three
// months of the calendar.
const (
	fillPlaces = `
insert into place (portfolio_id, recipient_hash, run_id, ordinal)
select $1, decode(md5('other' || i), 'hex'), $2, i
from generate_series(1, 100000) as i`

	fillOtherPlaces = `
insert into place (portfolio_id, recipient_hash, run_id, ordinal)
select $1, decode(md5('elsewhere' || i), 'hex'), $2, i
from generate_series($3::int, $4::int) as i`

	fillPlacesOver = `
update place
set over_at = now() - interval '1 minute'
where portfolio_id = $1
  and ordinal <= 500`

	fillUse = `
insert into place_use (portfolio_id, at, run_id, workspace_id, places)
select $1, date_bin('15 minutes', now(), 'epoch') - i * interval '15 minutes', $2, $3, 10
from generate_series(0, 8000) as i`
)

// fillLedger fills what the ledger of places has. Other portfolios have a
// hundred thousand each, one has no limit.
func (c *crowd) fillLedger(ctx context.Context) error {
	c.boundless = id.New[id.Portfolio]()
	steps := []struct {
		sql  string
		args []any
	}{
		{fillPlaces, []any{c.folio, c.run.run}},
		{fillPlacesOver, []any{c.folio}},
		{fillUse, []any{c.folio, c.run.run, c.ws}},
		{`update portfolio set messaging_limit = 1000000, places = 100000 where id = $1`, []any{c.folio}},
		{`insert into portfolio_share (portfolio_id, name, size) values ($1, 'orders', 3000)`, []any{c.folio}},
		{`insert into portfolio (id, meta_business_id, limit_known) values ($1, 'boundless', true)`, []any{c.boundless}},
	}
	const each = 100_000
	for from := 1; from <= c.rows; from += each {
		other := id.New[id.Portfolio]()
		to := min(from+each-1, c.rows)
		steps = append(steps, struct {
			sql  string
			args []any
		}{`insert into portfolio (id, meta_business_id, messaging_limit, limit_known, places) values ($1, $2, 100000, true, $3)`,
			[]any{other, other.String(), to - from + 1}}, struct {
			sql  string
			args []any
		}{fillOtherPlaces, []any{other, c.run.run, from, to}})
	}
	for _, s := range steps {
		if err := c.quickly(ctx, s.sql, s.args...); err != nil {
			return err
		}
	}
	return nil
}

func heldHash(i int) []byte {
	sum := md5.Sum([]byte("other" + strconv.Itoa(i))) //nolint:gosec // see above
	return sum[:]
}

// keeping are the statements of the ledger of places: a tick's, a batch of
// receipts', the sweep's and the calendar's.
func (c *crowd) keeping() []call {
	run := c.run.run
	reserve := func(name string, portfolio func() id.Portfolio, hash func(i int) []byte) call {
		return call{name: name, engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			wanted := make([]places.Wanted, 200)
			for i := range wanted {
				wanted[i] = places.Wanted{Hash: hash(i), Run: run, Ordinal: int32(c.cursor + i)}
			}
			_, err := places.Reserve(ctx, tx, places.Ask{Portfolio: portfolio(), Workspace: c.ws, Kind: "campaign"}, wanted)
			return err
		}}
	}
	own := func() id.Portfolio { return c.folio }
	return []call{
		reserve("reserve places", own, func(i int) []byte { return hashOf(int32(c.cursor + i)) }),
		reserve("reserve places of people who have one", own, func(i int) []byte { return heldHash(1000 + i) }),
		reserve("reserve without a limit", func() id.Portfolio {
			if c.boundless.IsZero() { // not filled yet
				return c.folio
			}
			return c.boundless
		}, func(i int) []byte { return hashOf(int32(c.cursor + i)) }),
		{name: "sweep places", engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			return places.Sweep(ctx, tx, c.folio)
		}},
		{name: "settle places", most: fewRows, do: c.settle},
		{name: "look ahead for open windows", most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := messages.Ahead(ctx, tx, c.ws, run, messages.Backlog{Number: c.run.number.ID}, int32(c.cursor), int32(c.cursor+250), 20)
			return err
		}},
		{name: "calendar: used", engine: true, most: 2 * fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			return perform(ctx, tx, "campaigns/capacity/calendar.go", "sqlUsed", c.folio, c.ws, time.Now().Add(-7*24*time.Hour), "Asia/Riyadh")
		}},
		{name: "calendar: to come", engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			return perform(ctx, tx, "campaigns/capacity/calendar.go", "sqlDemands", c.folio, c.ws)
		}},
		{name: "calendar: open campaigns", page: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := capacity.ListOpen(ctx, tx, c.ws, c.folio)
			return err
		}},
	}
}

// settle counts people who have a place, and some whose place is gone.
func (c *crowd) settle(ctx context.Context, tx pgx.Tx) error {
	runs, ordinals, hashes, delivered := make([]id.Run, together), make([]int32, together), make([][]byte, together), make([]bool, together)
	for i := range runs {
		runs[i], ordinals[i], delivered[i] = c.run.run, int32(2000+i), i%4 > 0
		if hashes[i] = heldHash(2000 + i); i%2 == 0 {
			hashes[i] = []byte("gone" + strconv.Itoa(i))
		}
	}
	return perform(ctx, tx, "messages/status_places.go", "sqlSettlePlaces", runs, ordinals, hashes, delivered, c.folio)
}
