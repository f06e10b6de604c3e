package contacts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
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

// A person of an earlier chunk is there already; what counts of the opt-in is
// the best of both rows.
const sqlName = `
	insert into import_member (workspace_id, import_id, contact_id, opted)
	select $1, $2, m.contact_id, m.opted
	from unnest($3::uuid[], $4::boolean[]) as m (contact_id, opted)
	order by m.contact_id
	on conflict (workspace_id, import_id, contact_id) do update
	set opted = coalesce(import_member.opted or excluded.opted, import_member.opted, excluded.opted)
	returning contact_id, xmax = 0`

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
	changed, err := r.write(ctx, tx)
	if err != nil {
		return nil, err
	}
	staged, unknown, err := r.staged(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	t.rejected += int64(len(unknown))
	opted, err := r.record(ctx, tx, c, staged)
	if err != nil {
		return nil, err
	}
	first, err := r.name(ctx, tx, staged, opted)
	if err != nil {
		return nil, err
	}
	t.count(staged, first, changed)
	return unknown, nil
}

// write returns whom it changed.
func (r *run) write(ctx context.Context, tx pgx.Tx) (map[id.Contact]bool, error) {
	ids, err := pg.All(ctx, tx, "write names and attributes", pgx.RowTo[id.Contact], sqlWrite, r.ws, r.Mode != ModeAdd)
	if err != nil {
		return nil, err
	}
	changed := make(map[id.Contact]bool, len(ids))
	for _, c := range ids {
		changed[c] = true
	}
	return changed, nil
}

// known is a staged person whom the database knows by now.
type known struct {
	contact id.Contact
	fresh   bool
}

// staged reads back who everybody is, by key, and whom nobody knows.
func (r *run) staged(ctx context.Context, tx pgx.Tx, c *chunk) (map[string]known, []Reject, error) {
	rows, err := tx.Query(ctx, sqlStaged)
	if err != nil {
		return nil, nil, fmt.Errorf("read the people back: %w", err)
	}
	defer rows.Close()
	found := make(map[string]known, len(c.people))
	var unknown []Reject
	for rows.Next() {
		var key string
		var contact id.Contact
		var fresh *bool
		if err := rows.Scan(&key, &contact, &fresh); err != nil {
			return nil, nil, fmt.Errorf("read the people back: %w", err)
		}
		if fresh == nil {
			unknown = append(unknown, r.unknownPerson(c.people[c.byKey[key]]))
			continue
		}
		found[key] = known{contact, *fresh}
	}
	return found, unknown, rows.Err()
}

// name notes everybody as a member to be and returns who was not one before.
func (r *run) name(ctx context.Context, tx pgx.Tx, staged map[string]known, opted map[id.Contact]bool) (map[id.Contact]bool, error) {
	once := make(map[id.Contact]bool, len(staged))
	var contacts []id.Contact
	var flags []*bool
	for _, k := range staged {
		if once[k.contact] {
			continue
		}
		once[k.contact] = true
		var flag *bool
		if yes, said := opted[k.contact]; said {
			flag = &yes
		}
		contacts, flags = append(contacts, k.contact), append(flags, flag)
	}
	rows, err := tx.Query(ctx, sqlName, r.ws, r.imp.ID, contacts, flags)
	if err != nil {
		return nil, fmt.Errorf("note the people named: %w", err)
	}
	defer rows.Close()
	first := make(map[id.Contact]bool, len(contacts))
	for rows.Next() {
		var c id.Contact
		var isNew bool
		if err := rows.Scan(&c, &isNew); err != nil {
			return nil, fmt.Errorf("note the people named: %w", err)
		}
		first[c] = isNew
	}
	return first, rows.Err()
}

// count sorts the people into the import's figures. Each contact counts once in
// a file; further rows of it are merged.
func (t *tally) count(staged map[string]known, first, changed map[id.Contact]bool) {
	counted := make(map[id.Contact]bool, len(staged))
	for _, k := range staged {
		switch {
		case !first[k.contact] || counted[k.contact]:
			t.merged++
		case k.fresh:
			t.created++
		case changed[k.contact]:
			t.updated++
		default:
			t.unchanged++
		}
		counted[k.contact] = true
	}
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

// record hands over who agreed, late in the transaction: the permission rows it
// locks are what an opt-out arriving now has to wait for. It returns those who
// agreed, and whether no opt-out stands above it.
func (r *run) record(ctx context.Context, tx pgx.Tx, c *chunk, staged map[string]known) (map[id.Contact]bool, error) {
	said := Said{Import: r.imp.ID, Declaration: *r.Consent, Policy: r.policy, Actor: r.imp.CreatedBy}
	opted := make(map[id.Contact]bool)
	for _, p := range c.people {
		k, known := staged[p.phone.Key]
		if !known || !p.optIn {
			continue
		}
		a := Agreement{Contact: k.contact, RecipientKey: p.phone.RecipientKey(), Line: p.line, OccurredAt: p.optInAt, Source: p.source}
		if a.OccurredAt.IsZero() {
			a.Declared, a.OccurredAt = true, r.declaredAt()
		}
		said.People, opted[k.contact] = append(said.People, a), true
	}
	if len(said.People) == 0 {
		return opted, nil
	}
	refused, err := r.Record(ctx, tx, r.ws, said)
	if err != nil {
		return nil, err
	}
	for _, contact := range refused {
		opted[contact] = false
	}
	return opted, nil
}

func (r *run) declaredAt() time.Time {
	if r.Consent.OccurredAt != nil {
		return *r.Consent.OccurredAt
	}
	return r.imp.CreatedAt
}
