//go:build unix

package bench

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// crowd is a large run in a database with others, and how far it has come.
type crowd struct {
	*world
	super    *pgx.Conn // may load auto_explain and fill tables quickly
	run      draft
	audience id.Audience
	rows     int
	cursor   int // messages up to here are delivered

	boundless id.Portfolio // one without a limit
}

// The rows of the large run. Persons' ids rise with their number as UUIDv7 do;
// hashes are no real ones, because nothing here looks one up by a person.
const (
	rowOf = `('01890000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid`

	fillContacts = `insert into contact (workspace_id, id, name) select $1, ` + rowOf + `, 'Amal' from generate_series($2::int, $3::int) as i`

	fillIdentities = `
insert into identity (workspace_id, contact_id, kind, key, value, country)
select $1, ` + rowOf + `, 'phone', '+97150' || lpad(i::text, 7, '0'), '+97150' || lpad(i::text, 7, '0'), 'AE'
from generate_series($2::int, $3::int) as i`

	fillPermissions = `
insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
select $1, ` + rowOf + `, 'marketing', true, gen_random_uuid(), now()
from generate_series($2::int, $3::int) as i`

	fillMembers = `
insert into audience_member (workspace_id, audience_id, contact_id)
select $1, $4, ` + rowOf + `
from generate_series($2::int, $3::int) as i`

	fillMessages = `
insert into message (workspace_id, run_id, ordinal, contact_id, recipient_key, recipient_hash, address, parameters, state)
select $1, $4, i, ` + rowOf + `, 'p:+97150' || lpad(i::text, 7, '0'), decode(md5(i::text), 'hex'),
    '+97150' || lpad(i::text, 7, '0'), decode(repeat('00', 60), 'hex'), 'ready'
from generate_series($2::int, $3::int) as i`

	// The run's check, by the campaign's id; one in a hundred had opted out.
	fillCheck = `
insert into plan_check (workspace_id, id, campaign_id, state, campaign_version)
values ($1, $2, $2, 'completed', 1)`

	fillCheckRows = `
insert into plan_check_row (workspace_id, check_id, contact_id, reason)
select $1, $4, ` + rowOf + `, case when i % 100 = 0 then 'opted_out' end
from generate_series($2::int, $3::int) as i`

	// deliver is what sending does to a run, in one statement; the dead rows it
	// leaves stay, as before a vacuum has come by.
	deliver = `
update message
set state = 'delivered', attempt = 1, claim_token = gen_random_uuid(), claimed_at = now(), claim_deadline = now(),
    wamid = 'wamid.' || ordinal, accepted_at = now(), sent_at = now(), delivered_at = now()
where run_id = $1
  and ordinal > $2
  and ordinal <= $3`
)

// otherRuns share the large run's partition.
const otherRuns = 50

// makeCrowd makes the run's row; fill makes its people and messages.
func (s *stand) makeCrowd(ctx context.Context) (*crowd, error) {
	w, err := s.theWorld(ctx)
	if err != nil {
		return nil, err
	}
	n, err := w.addNumber(ctx, 1000)
	if err != nil {
		return nil, err
	}
	c := &crowd{world: w, rows: s.Rows, audience: id.New[id.Audience]()}
	if c.run, err = w.addRun(ctx, n, 0); err != nil {
		return nil, err
	}
	if err := w.begin(ctx, c.run); err != nil {
		return nil, err
	}
	return c, w.exec(ctx, `insert into audience (workspace_id, id, name, created_by) values ($1, $2, 'Everybody', 'system:bench')`, w.ws, c.audience)
}

// few makes the other runs with a few messages each: the size at which a look
// through a whole table is the cheapest plan there is.
func (c *crowd) few(ctx context.Context) error {
	if err := c.quickly(ctx, fillCheck, c.ws, c.run.campaign); err != nil {
		return err
	}
	for i := range otherRuns {
		d, err := c.addRun(ctx, c.run.number, 0)
		if err != nil {
			return err
		}
		if i%2 == 0 {
			if err := c.end(ctx, d); err != nil {
				return err
			}
		}
		if err := c.quickly(ctx, fillMessages, c.ws, 1, 20, d.run); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) fill(ctx context.Context) error {
	for _, f := range []struct {
		sql  string
		args []any
	}{
		{fillContacts, []any{c.ws, 1, c.rows}},
		{fillIdentities, []any{c.ws, 1, c.rows}},
		{fillPermissions, []any{c.ws, 1, c.rows}},
		{fillMembers, []any{c.ws, 1, c.rows, c.audience}},
		{fillMessages, []any{c.ws, 1, c.rows, c.run.run}},
		{fillCheckRows, []any{c.ws, 1, c.rows, c.run.campaign}},
		{`update run set planned = $2 where id = $1`, []any{c.run.run, c.rows}},
	} {
		if err := c.quickly(ctx, f.sql, f.args...); err != nil {
			return err
		}
	}
	if err := c.fillRules(ctx); err != nil {
		return err
	}
	if err := c.fillLedger(ctx); err != nil {
		return err
	}
	return c.fillCaps(ctx)
}

// quickly writes without checking references and without waiting for the disk.
func (c *crowd) quickly(ctx context.Context, sql string, args ...any) error {
	if _, err := c.super.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("fill the tables: %w", err)
	}
	return nil
}

// advance delivers everything up to a message, and leaves the last few of them
// under way.
func (c *crowd) advance(ctx context.Context, to int) error {
	if err := c.quickly(ctx, deliver, c.run.run, c.cursor, to-together); err != nil {
		return err
	}
	c.cursor = to
	err := c.quickly(ctx, `update message set state = 'sending', attempt = 1, claim_token = $4, claimed_at = now(),
		claim_deadline = now() + interval '45 seconds' where run_id = $1 and ordinal > $2 and ordinal <= $3`,
		c.run.run, to-together, to, claimToken)
	if err != nil {
		return err
	}
	// The next ones have their place, as the feeder would have seen to.
	err = c.quickly(ctx, `insert into place (portfolio_id, recipient_hash, run_id, ordinal)
		select $1, decode(md5(i::text), 'hex'), $2, i from generate_series($3::int, $4::int) as i on conflict do nothing`,
		c.folio, c.run.run, to+1, to+together)
	if err != nil {
		return err
	}
	return c.quickly(ctx, `update run set fed = $2, refeed_to = $2, refeed_at = now() where id = $1`, c.run.run, to)
}
