package contacts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// COPY into a table under row-level security is refused, so people go through
// temporary tables that end with the transaction.
const sqlStage = `
	create temporary table import_stage (
		contact uuid not null,
		key     text not null,
		value   text not null,
		country text not null,
		name    text not null,
		fresh   boolean -- made here; null: nobody has this number
	) on commit drop;
	create temporary table import_stage_attribute (
		key     text not null,
		name    text not null,
		text    text not null,
		number  text not null,
		date    text not null
	) on commit drop`

// The identity goes first and makes the contact: of two imports that meet a
// new number at once, one waits and then finds it, and no contact is made in
// vain. Foreign keys are checked when the whole statement has run.
const sqlNewPeople = `
	with made as (
		insert into identity (workspace_id, contact_id, kind, key, value, country)
		select $1, s.contact, 'phone', s.key, s.value, s.country
		from import_stage s
		order by s.key
		on conflict (workspace_id, kind, portfolio_id, key) do nothing
		returning contact_id
	)
	insert into contact (workspace_id, id, name)
	select $1, s.contact, s.name
	from import_stage s
	join made m on m.contact_id = s.contact`

const sqlResolve = `
	update import_stage s
	set contact = i.contact_id,
	    fresh = i.contact_id = s.contact
	from identity i
	where i.workspace_id = $1
	  and i.kind = 'phone'
	  and i.portfolio_id = '00000000-0000-0000-0000-000000000000'
	  and i.key = s.key`

const sqlSeen = `
	insert into import_member (workspace_id, import_id, contact_id)
	select $1, $2, s.contact
	from import_stage s
	where s.fresh is not null
	order by s.contact
	on conflict (workspace_id, import_id, contact_id) do nothing
	returning contact_id`

// What the mode lets a row write: attributes first, then the name, both only
// where they differ. Rows are taken in the order of the contacts, so that two
// imports wait for each other instead of locking each other out.
const sqlWrite = `
	with attributes as (
		insert into contact_attribute (workspace_id, contact_id, name, text, number, date)
		select distinct on (s.contact, a.name)
			$1, s.contact, a.name, a.text, nullif(a.number, '')::numeric, nullif(a.date, '')::date
		from import_stage_attribute a
		join import_stage s on s.key = a.key
		where s.fresh or (not s.fresh and $2)
		order by s.contact, a.name
		on conflict (workspace_id, contact_id, name) do update
		set text = excluded.text,
		    number = excluded.number,
		    date = excluded.date
		where contact_attribute.text is distinct from excluded.text
		returning contact_id
	), changed as (
		select c.id
		from contact c
		join import_stage s on s.contact = c.id
		where c.workspace_id = $1
		  and not s.fresh
		  and $2
		  and (s.name <> '' and s.name <> c.name or c.id in (select contact_id from attributes))
		order by c.id
		for no key update of c
	)
	update contact c
	set name = case when s.name = '' then c.name else s.name end,
	    updated_at = bareed_now()
	from import_stage s, changed
	where c.workspace_id = $1
	  and c.id = changed.id
	  and s.contact = c.id
	returning c.id`

const sqlStaged = `
	select key, contact, fresh
	from import_stage`

const sqlOpted = `
	update import_member m
	set opted = coalesce(m.opted, false) or not (m.contact_id = any ($4))
	where m.workspace_id = $1
	  and m.import_id = $2
	  and m.contact_id = any ($3)`

const sqlAdvance = `
	update import
	set rows = $4,
	    created = created + $5,
	    updated = updated + $6,
	    unchanged = unchanged + $7,
	    merged = merged + $8,
	    rejected = rejected + $9,
	    lease_until = bareed_now() + interval '2 minutes',
	    tries = 0
	where workspace_id = $1
	  and id = $2
	  and state = 'running'
	  and rows = $3`

const sqlProgress = `
	update job
	set done = $3,
	    updated_at = bareed_now()
	where workspace_id = $1
	  and id = $2`

// merge writes one chunk and moves the import's counters in one transaction.
func (r *run) merge(ctx context.Context, c *chunk) error {
	var t tally
	err := r.Pool.InWorkspace(ctx, r.ws, func(tx pgx.Tx) error {
		t = tally{merged: c.merged, rejected: c.rejected}
		if err := patient(ctx, tx); err != nil {
			return err
		}
		rejects := c.rejects
		if len(c.people) > 0 {
			unknown, err := r.mergePeople(ctx, tx, c, &t)
			if err != nil {
				return err
			}
			rejects = append(rejects[:len(rejects):len(rejects)], unknown...)
		}
		if err := r.writeRejects(ctx, tx, rejects); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlAdvance, r.ws, r.imp.ID, c.from, c.to, t.created, t.updated, t.unchanged, t.merged, t.rejected)
		if err != nil {
			return fmt.Errorf("advance the import: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errLost
		}
		if _, err := tx.Exec(ctx, sqlProgress, r.ws, r.imp.ID, c.to); err != nil {
			return fmt.Errorf("report progress: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.imp.Rows = c.to
	r.imp.Created += t.created
	r.imp.Updated += t.updated
	r.imp.Unchanged += t.unchanged
	r.imp.Merged += t.merged
	r.imp.Rejected += t.rejected
	return nil
}

type tally struct{ created, updated, unchanged, merged, rejected int64 }

func (r *run) mergePeople(ctx context.Context, tx pgx.Tx, c *chunk, t *tally) (unknown []Reject, err error) {
	if err := stage(ctx, tx, c.people); err != nil {
		return nil, err
	}
	if r.Mode != ModeUpdate {
		if _, err := tx.Exec(ctx, sqlNewPeople, r.ws); err != nil {
			return nil, fmt.Errorf("add new people: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, sqlResolve, r.ws); err != nil {
		return nil, fmt.Errorf("find known people: %w", err)
	}
	seen, err := collect(ctx, tx, sqlSeen, r.ws, r.imp.ID)
	if err != nil {
		return nil, fmt.Errorf("note the people named: %w", err)
	}
	changed, err := collect(ctx, tx, sqlWrite, r.ws, r.Mode != ModeAdd)
	if err != nil {
		return nil, fmt.Errorf("write names and attributes: %w", err)
	}
	found, unknown, err := r.count(ctx, tx, c, seen, changed, t)
	if err != nil {
		return nil, err
	}
	return unknown, r.record(ctx, tx, c, found)
}

func collect(ctx context.Context, tx pgx.Tx, sql string, args ...any) (map[id.Contact]bool, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[id.Contact])
	if err != nil {
		return nil, err
	}
	set := make(map[id.Contact]bool, len(ids))
	for _, c := range ids {
		set[c] = true
	}
	return set, nil
}

// count sorts the staged people into the import's figures and returns who they
// are by key. Each contact counts once in a file; further rows of it are merged.
func (r *run) count(ctx context.Context, tx pgx.Tx, c *chunk, seen, changed map[id.Contact]bool, t *tally) (map[string]id.Contact, []Reject, error) {
	rows, err := tx.Query(ctx, sqlStaged)
	if err != nil {
		return nil, nil, fmt.Errorf("count the people: %w", err)
	}
	defer rows.Close()
	found := make(map[string]id.Contact, len(c.people))
	counted := make(map[id.Contact]bool, len(c.people))
	var unknown []Reject
	for rows.Next() {
		var key string
		var contact id.Contact
		var fresh *bool
		if err := rows.Scan(&key, &contact, &fresh); err != nil {
			return nil, nil, fmt.Errorf("count the people: %w", err)
		}
		if fresh == nil {
			p := c.people[c.byKey[key]]
			unknown = append(unknown, r.unknownPerson(p))
			t.rejected++
			continue
		}
		found[key] = contact
		switch {
		case !seen[contact] || counted[contact]:
			t.merged++
		case *fresh:
			t.created++
		case changed[contact]:
			t.updated++
		default:
			t.unchanged++
		}
		counted[contact] = true
	}
	return found, unknown, rows.Err()
}

// stage copies the people, in the order of their keys, into the temporary tables.
func stage(ctx context.Context, tx pgx.Tx, people []person) error {
	if _, err := tx.Exec(ctx, sqlStage); err != nil {
		return fmt.Errorf("make the staging tables: %w", err)
	}
	sorted := slices.Clone(people)
	slices.SortFunc(sorted, func(a, b person) int { return strings.Compare(a.phone.Key, b.phone.Key) })
	var attributes [][]any
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"import_stage"}, []string{"contact", "key", "value", "country", "name"},
		pgx.CopyFromSlice(len(sorted), func(i int) ([]any, error) {
			p := sorted[i]
			for _, a := range p.attributes {
				attributes = append(attributes, []any{p.phone.Key, a.name, a.text, a.number, a.date})
			}
			return []any{uuid.UUID(id.New[id.Contact]()), p.phone.Key, p.phone.E164, p.phone.Country, p.name}, nil
		}))
	if err != nil {
		return fmt.Errorf("stage the people: %w", err)
	}
	if len(attributes) == 0 {
		return nil
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"import_stage_attribute"}, []string{"key", "name", "text", "number", "date"}, pgx.CopyFromRows(attributes))
	if err != nil {
		return fmt.Errorf("stage the attributes: %w", err)
	}
	return nil
}

// record hands over who agreed, last in the transaction: the permission rows
// it locks are what an opt-out arriving now has to wait for.
func (r *run) record(ctx context.Context, tx pgx.Tx, c *chunk, found map[string]id.Contact) error {
	said := Said{Import: r.imp.ID, Declaration: *r.Consent, Policy: r.policy, Actor: r.imp.CreatedBy}
	var who []id.Contact
	for _, p := range c.people {
		contact, known := found[p.phone.Key]
		if !known || !p.optIn {
			continue
		}
		a := Agreement{Contact: contact, RecipientKey: p.phone.RecipientKey(), Row: p.row, OccurredAt: p.optInAt, Source: p.source}
		if a.OccurredAt.IsZero() {
			a.Declared, a.OccurredAt = true, r.declaredAt()
		}
		said.People, who = append(said.People, a), append(who, contact)
	}
	if len(who) == 0 {
		return nil
	}
	refused, err := r.Record(ctx, tx, r.ws, said)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlOpted, r.ws, r.imp.ID, who, append([]id.Contact{}, refused...)); err != nil {
		return fmt.Errorf("note the opt-ins: %w", err)
	}
	return nil
}

func (r *run) declaredAt() time.Time {
	if r.Consent.OccurredAt != nil {
		return *r.Consent.OccurredAt
	}
	return r.imp.CreatedAt
}

const sqlRejects = `
	insert into import_reject (workspace_id, import_id, row, line, col, code, params, got, raw)
	select $1, $2, r.row, r.line, r.col, r.code, r.params, r.got, r.raw
	from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::bytea[])
		as r (row, line, col, code, params, got, raw)
	on conflict (workspace_id, import_id, row, col) do nothing`

func (r *run) writeRejects(ctx context.Context, tx pgx.Tx, rejects []Reject) error {
	if len(rejects) == 0 {
		return nil
	}
	n := len(rejects)
	row, line := make([]int64, n), make([]int64, n)
	col, code, params, got := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	raw := make([][]byte, n)
	for i, x := range rejects {
		p, err := json.Marshal(x.Params)
		if err != nil {
			return fmt.Errorf("write a rejected row: %w", err)
		}
		row[i], line[i], col[i], code[i], got[i], params[i] = x.Row, x.Line, x.Column, x.Code, x.Got, string(p)
		if x.Params == nil {
			params[i] = "{}"
		}
		if x.raw == "" {
			continue
		}
		if raw[i], err = r.box.Seal([]byte(x.raw), rejectPlace(r.imp.ID, x.Row, x.Column)); err != nil {
			return fmt.Errorf("seal a rejected value: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, sqlRejects, r.ws, r.imp.ID, row, line, col, code, params, got, raw); err != nil {
		return fmt.Errorf("write rejected rows: %w", err)
	}
	return nil
}
