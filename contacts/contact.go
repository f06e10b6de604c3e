package contacts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Contact is a person. Phone is E.164 or empty.
type Contact struct {
	ID         id.Contact        `json:"id"`
	Name       string            `json:"name"`
	Phone      string            `json:"phone"`
	Country    string            `json:"country"`
	Attributes map[string]string `json:"attributes,omitempty"` // filled by Get
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

const sqlContact = `
	select c.id, c.name, coalesce(p.value, ''), coalesce(p.country, ''), c.created_at, c.updated_at
	from contact c
	left join lateral (
		select i.value, i.country
		from identity i
		where i.workspace_id = c.workspace_id
		  and i.contact_id = c.id
		  and i.kind = 'phone'
		order by i.last_seen desc, i.key
		limit 1
	) p on true
	where c.workspace_id = $1
	  and c.erased_at is null`

// sqlContacts and sqlMembers begin behind the given contact in any plan, not only
// in one made for its id, so that a late page costs no more than the first.
const sqlContacts = sqlContact + `
	  and c.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
	order by c.id desc
	limit $3`

// sqlMembers walks an audience and looks up each member: a small audience may be
// anywhere among the contacts.
const sqlMembers = `
	select p.id, p.name, p.phone, p.country, p.created_at, p.updated_at
	from audience_member m
	cross join lateral (` + sqlContact + `
	  and c.id = m.contact_id
	offset 0) p (id, name, phone, country, created_at, updated_at)
	where m.workspace_id = $1
	  and m.audience_id = $4
	  and m.contact_id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
	order by m.contact_id desc
	limit $3`

const sqlThose = sqlContact + `
	  and c.id = any ($2)
	order by c.id desc`

func scanContact(row pgx.CollectableRow) (Contact, error) {
	var c Contact
	err := row.Scan(&c.ID, &c.Name, &c.Phone, &c.Country, &c.CreatedAt, &c.UpdatedAt)
	return c, err
}

// List returns contacts newest first, those before an id when it is given, of
// one audience or of all for the zero id, without attributes.
func List(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience, before id.Contact, limit int) ([]Contact, error) {
	if !audience.IsZero() {
		return list(ctx, tx, sqlMembers, ws, before, limit, audience)
	}
	return list(ctx, tx, sqlContacts, ws, before, limit)
}

// Those returns the contacts of these ids that are there, newest first, without
// attributes.
func Those(ctx context.Context, tx pgx.Tx, ws id.Workspace, ids []id.Contact) ([]Contact, error) {
	return list(ctx, tx, sqlThose, ws, ids)
}

func list(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]Contact, error) {
	return pg.All(ctx, tx, "list contacts", scanContact, sql, args...)
}

const sqlAttributes = `
	select name, text
	from contact_attribute
	where workspace_id = $1
	  and contact_id = $2
	  and text is not null`

// Get finds one contact with its attributes; not_found otherwise.
func Get(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact) (Contact, error) {
	all, err := Those(ctx, tx, ws, []id.Contact{contact})
	if err != nil {
		return Contact{}, err
	}
	if len(all) == 0 {
		return Contact{}, errs.New("not_found")
	}
	c := all[0]
	rows, err := tx.Query(ctx, sqlAttributes, ws, contact)
	if err != nil {
		return Contact{}, fmt.Errorf("read a contact's attributes: %w", err)
	}
	defer rows.Close()
	c.Attributes = make(map[string]string)
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return Contact{}, fmt.Errorf("read a contact's attributes: %w", err)
		}
		c.Attributes[name] = text
	}
	return c, rows.Err()
}

const sqlFind = `
	select contact_id
	from identity
	where workspace_id = $1
	  and kind = 'phone'
	  and portfolio_id = '00000000-0000-0000-0000-000000000000'
	  and key = any ($2)
	union all
	select contact_id
	from identity
	where workspace_id = $1
	  and kind in ('bsuid', 'parent_bsuid')
	  and key = any ($3)
	limit 1`

// Find returns the contact whom one of the recipient keys names (p:<canonical
// phone> or b:<business-scoped id>, also a parent's), by phone first, and false
// when none does.
func Find(ctx context.Context, tx pgx.Tx, ws id.Workspace, recipientKeys []string) (id.Contact, bool, error) {
	var c id.Contact
	phones, scoped := []string{}, []string{}
	for _, k := range recipientKeys {
		if phone, ok := strings.CutPrefix(k, "p:"); ok {
			phones = append(phones, phone)
		} else if bsuid, ok := strings.CutPrefix(k, "b:"); ok {
			scoped = append(scoped, bsuid)
		}
	}
	err := tx.QueryRow(ctx, sqlFind, ws, phones, scoped).Scan(&c)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("find a contact: %w", err)
	}
	return c, true, nil
}

const sqlRecipientKeys = `
	select distinct case kind when 'phone' then 'p:' else 'b:' end || key
	from identity
	where workspace_id = $1
	  and contact_id = $2
	  and kind <> 'username'
	order by 1`

// RecipientKeys returns every key a contact may be reached by.
func RecipientKeys(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact) ([]string, error) {
	return pg.All(ctx, tx, "read a contact's identities", pgx.RowTo[string], sqlRecipientKeys, ws, contact)
}

const sqlEnsure = `
	with made as (
		insert into identity (workspace_id, contact_id, kind, key, value, country)
		values ($1, $2, 'phone', $3, $4, $5)
		on conflict (workspace_id, kind, portfolio_id, key) do nothing
		returning contact_id
	)
	insert into contact (workspace_id, id)
	select $1, contact_id
	from made`

// Ensure returns the contact with this phone, made when nobody has it.
func Ensure(ctx context.Context, tx pgx.Tx, ws id.Workspace, p Phone) (id.Contact, error) {
	for {
		c, ok, err := Find(ctx, tx, ws, []string{p.RecipientKey()})
		if err != nil || ok {
			return c, err
		}
		// A conflict means that somebody else has just made the contact: look again.
		if _, err := tx.Exec(ctx, sqlEnsure, ws, id.New[id.Contact](), p.Key, p.E164, p.Country); err != nil {
			return id.Contact{}, fmt.Errorf("add a contact: %w", err)
		}
	}
}
