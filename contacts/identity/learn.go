package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Learn gives contacts the ids that pairs show to be theirs: a business-scoped
// id to who is known by phone and the other way round, and the username to its
// present holder. A business-scoped id or phone that is another contact's stays
// there, and the two are noted as a conflict. Nobody is made a contact. The
// caller passes the result to consents.Joined in the same transaction.
func Learn(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio, pairs []Pair) (Learned, error) {
	var l Learned
	pairs = clean(pairs)
	if len(pairs) == 0 {
		return l, nil
	}
	all, err := find(ctx, tx, ws, portfolio, pairs)
	if err != nil {
		return l, err
	}
	given, wanted, err := give(ctx, tx, ws, portfolio, all)
	if err != nil {
		return l, err
	}
	l.People = given
	if len(given) < wanted { // somebody else was given one of them a moment ago
		if all, err = find(ctx, tx, ws, portfolio, pairs); err != nil {
			return l, err
		}
	}
	for _, k := range all {
		if k.phone.IsZero() && k.scoped.IsZero() && k.WaID != "" && k.BSUID != "" {
			l.Strangers = append(l.Strangers, Stranger{contacts.RecipientKeyOfWaID(k.WaID), contacts.RecipientKeyOfBSUID(k.BSUID)})
		}
	}
	if err := nameThem(ctx, tx, ws, portfolio, all); err != nil {
		return l, err
	}
	if err := seen(ctx, tx, ws, portfolio, all); err != nil {
		return l, err
	}
	l.Conflicts, err = note(ctx, tx, ws, all)
	return l, err
}

const sqlGive = `
	insert into identity (workspace_id, contact_id, kind, portfolio_id, key, value, country)
	select $1, i.contact_id, i.kind, i.portfolio_id, i.key, i.value, i.country
	from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[])
		as i (contact_id, kind, portfolio_id, key, value, country)
	order by i.kind, i.key
	on conflict (workspace_id, kind, portfolio_id, key) do nothing
	returning contact_id`

// give adds the missing half of each pair to the contact that has the other.
// wanted is how many rows that should have been.
func give(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio, all []known) (given []id.Contact, wanted int, err error) {
	var whose []id.Contact
	var portfolios [][16]byte
	var kinds, keys, values, countries []string
	add := func(c id.Contact, kind string, of id.Portfolio, key, value, country string) {
		whose, kinds, portfolios = append(whose, c), append(kinds, kind), append(portfolios, of)
		keys, values, countries = append(keys, key), append(values, value), append(countries, country)
	}
	for _, k := range all {
		switch {
		case k.WaID == "" || k.BSUID == "":
		case !k.phone.IsZero() && k.scoped.IsZero():
			add(k.phone, "bsuid", portfolio, k.BSUID, k.BSUID, "")
		case k.phone.IsZero() && !k.scoped.IsZero():
			// Meta's number need not be valid in its country's plan; it is what Meta sends to.
			p, err := contacts.ParsePhone("+"+k.WaID, "")
			if err != nil {
				p = contacts.Phone{E164: "+" + k.WaID, Key: k.phoneKey()}
			}
			add(k.scoped, "phone", id.Portfolio{}, p.Key, p.E164, p.Country)
		}
	}
	if len(whose) == 0 {
		return nil, 0, nil
	}
	rows, err := tx.Query(ctx, sqlGive, ws, whose, kinds, portfolios, keys, values, countries)
	if err != nil {
		return nil, 0, fmt.Errorf("learn an identity: %w", err)
	}
	if given, err = pgx.CollectRows(rows, pgx.RowTo[id.Contact]); err != nil {
		return nil, 0, fmt.Errorf("learn an identity: %w", err)
	}
	return given, len(whose), nil
}

const sqlName = `
	insert into identity (workspace_id, contact_id, kind, portfolio_id, key, value)
	select distinct on (u.username) $1, u.contact_id, 'username', $2::uuid, u.username, u.username
	from unnest($3::uuid[], $4::text[]) as u (contact_id, username)
	order by u.username
	on conflict (workspace_id, kind, portfolio_id, key) do update
	set contact_id = excluded.contact_id,
	    last_seen = bareed_now()`

// nameThem writes usernames. One is a person's for as long as they like and may
// be another's afterwards, so it goes to who has it now.
func nameThem(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio, all []known) error {
	var whose []id.Contact
	var names []string
	for _, k := range all {
		if c := k.whose(); k.Username != "" && !c.IsZero() && c != k.named {
			whose, names = append(whose, c), append(names, k.Username)
		}
	}
	if len(whose) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlName, ws, portfolio, whose, names); err != nil {
		return fmt.Errorf("learn a username: %w", err)
	}
	return nil
}

// Rows that another transaction holds were seen by that one.
const sqlSeen = `
	update identity i
	set last_seen = bareed_now()
	from (
		select kind, portfolio_id, key
		from identity
		where workspace_id = $1
		  and (kind = 'phone' and portfolio_id = '00000000-0000-0000-0000-000000000000' and key = any ($3)
			or kind = 'bsuid' and portfolio_id = $2 and key = any ($4))
		for no key update skip locked
	) s
	where i.workspace_id = $1
	  and i.kind = s.kind
	  and i.portfolio_id = s.portfolio_id
	  and i.key = s.key`

// seen keeps, to the day, when Meta last used the ids of one person.
func seen(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio, all []known) error {
	var phones, scoped []string
	for _, k := range all {
		if k.stale && k.phone == k.scoped {
			phones, scoped = append(phones, k.phoneKey()), append(scoped, k.BSUID)
		}
	}
	if len(phones) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlSeen, ws, portfolio, phones, scoped); err != nil {
		return fmt.Errorf("note when an identity was seen: %w", err)
	}
	return nil
}

const sqlNote = `
	insert into identity_conflict (workspace_id, contact_id, other_id)
	select $1, c.contact_id, c.other_id
	from unnest($2::uuid[], $3::uuid[]) as c (contact_id, other_id)
	order by least(c.contact_id, c.other_id), greatest(c.contact_id, c.other_id), c.contact_id
	on conflict (workspace_id, contact_id, other_id) do nothing
	returning contact_id, other_id`

// note keeps the pairs that name two contacts, each both ways, and returns them.
func note(ctx context.Context, tx pgx.Tx, ws id.Workspace, all []known) ([]Conflict, error) {
	var list []Conflict
	var whose, others []id.Contact
	for _, k := range all {
		if k.phone.IsZero() || k.scoped.IsZero() || k.phone == k.scoped {
			continue
		}
		list = append(list, Conflict{Contact: k.phone, Other: k.scoped}, Conflict{Contact: k.scoped, Other: k.phone})
		whose, others = append(whose, k.phone, k.scoped), append(others, k.scoped, k.phone)
	}
	if len(list) == 0 {
		return nil, nil
	}
	fresh, err := pg.All(ctx, tx, "note that two contacts are one person", pgx.RowToStructByPos[struct{ Contact, Other id.Contact }], sqlNote, ws, whose, others)
	if err != nil {
		return nil, err
	}
	for i, c := range list {
		list[i].Fresh = slices.Contains(fresh, struct{ Contact, Other id.Contact }{c.Contact, c.Other})
	}
	return list, nil
}

const sqlOthers = `
	select other_id
	from identity_conflict
	where workspace_id = $1
	  and contact_id = $2
	order by other_id`

// Others lists the contacts of whom it was said that they are this person.
func Others(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact) ([]id.Contact, error) {
	if contact.IsZero() {
		return nil, nil
	}
	return pg.All(ctx, tx, "read who else a contact may be", pgx.RowTo[id.Contact], sqlOthers, ws, contact)
}
