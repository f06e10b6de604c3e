// Package plan owns the decision who of an audience is sent a campaign's
// message, with which values, and the writing of a run's ledger rows from it.
//
// campaigns checks with it and launches what it plans; the worker's planning
// task calls it chunk by chunk. It must not know HTTP, the queue or the states
// of campaigns.
package plan

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Size is how many people one transaction of a plan or check decides about:
// large enough that round trips do not count, small enough to hold locks briefly.
const Size = 2000

// Person is what is known of one member of the audiences when it is decided
// whether they are sent the message.
type Person struct {
	Contact      id.Contact
	name         string
	erased       bool
	phoneKey     string // canonical; empty: no phone
	phone        string // what Meta is given
	country      string // of the phone, ISO 3166-1 alpha-2
	bsuid        string // of the number's portfolio
	permission   bool   // a permission row exists
	granted      bool
	expiresAt    *time.Time
	consent      id.Consent
	attributes   map[string]string
	suppression  string // reason of an open suppression of any of their addresses
	barred       bool   // the account may not message their phone's country
	alreadyInRun bool   // under another contact: an identity moved while planning

	coolsUntil time.Time   // no marketing before, by Meta's word; zero: none
	turns      []time.Time // of other runs' marketing; read where a frequency rule holds
}

// recipientKey is the canonical address. A person without one still has a row
// in the ledger, under a key that no address can equal.
func (p Person) recipientKey() string {
	switch {
	case p.phoneKey != "":
		return "p:" + p.phoneKey
	case p.bsuid != "":
		return "b:" + p.bsuid
	default:
		return "c:" + p.Contact.String()
	}
}

func (p Person) address() string {
	if p.phoneKey != "" {
		return p.phone
	}
	return p.bsuid
}

// Country is where Meta prices a message to them: the phone's, or what a
// business-scoped id begins with. Empty: not known.
func (p Person) Country() string {
	switch {
	case p.phoneKey == "":
		country, _, _ := strings.Cut(p.bsuid, ".")
		return country
	case p.country == "":
		if known, err := contacts.ParsePhone(p.phone, ""); err == nil {
			return known.Country
		}
	}
	return p.country
}

// Scope says whose people are read and what is to be known of them.
type Scope struct {
	Workspace  id.Workspace
	Audiences  []id.Audience
	Portfolio  id.Portfolio
	WABA       id.WABA
	Purpose    string
	Attributes []string // names the variables use
	Run        id.Run   // zero: a check
	Sending    Sending
}

// sqlPeople takes the next members after a contact, each audience by its own
// index and no further than the chunk. A person with two phones is reached at
// the one seen last. Everything about a person is asked by their id in laterals of
// their own: without fresh statistics a plain join of permissions reads all of
// a workspace for each.
const sqlPeople = anyMembers + whatIsKnown

const anyMembers = `
with member as (
    select distinct m.contact_id
    from unnest($2::uuid[]) as a(id)
    cross join lateral (
        select am.contact_id
        from audience_member am
        where am.workspace_id = $1
          and am.audience_id = a.id
          and am.contact_id > $3
        order by am.contact_id
        limit $4) m
    order by m.contact_id
    limit $4)
`

// whatIsKnown is a piece of a statement: what is known of each member.
const whatIsKnown = `
select c.id, c.name, c.erased_at is not null,
    coalesce(reach.phone_key, ''), coalesce(reach.phone, ''), coalesce(reach.bsuid, ''),
    coalesce(reach.country, ''),
    p.contact_id is not null, coalesce(p.granted, false), p.expires_at, p.consent_id,
    attributes.held
from member
join contact c on c.workspace_id = $1 and c.id = member.contact_id
left join lateral (
    select
        (array_agg(i.key order by i.last_seen desc, i.key) filter (where i.kind = 'phone'))[1] as phone_key,
        (array_agg(i.value order by i.last_seen desc, i.key) filter (where i.kind = 'phone'))[1] as phone,
        (array_agg(i.country order by i.last_seen desc, i.key) filter (where i.kind = 'phone'))[1] as country,
        (array_agg(i.key order by i.last_seen desc, i.key) filter (where i.kind = 'bsuid' and i.portfolio_id = $5))[1] as bsuid
    from identity i
    where i.workspace_id = $1
      and i.contact_id = c.id
      and i.kind in ('phone', 'bsuid')) reach on true
left join lateral (
    select p.contact_id, p.granted, p.expires_at, p.consent_id
    from permission p
    where p.workspace_id = $1
      and p.contact_id = c.id
      and p.purpose = $6
    limit 1) p on true
left join lateral (
    select jsonb_object_agg(t.name, coalesce(t.text, t.number::text, t.date::text)) as held
    from contact_attribute t
    where t.workspace_id = $1
      and t.contact_id = c.id
      and t.name = any ($7)) attributes on true
order by c.id`

// Read reads the next chunk of members after a contact, in order of their id.
func Read(ctx context.Context, db pg.DB, v *accounts.Vault, s Scope, after id.Contact) ([]Person, error) {
	rows, err := db.Query(ctx, sqlPeople, s.Workspace, s.Audiences, [16]byte(after), Size,
		[16]byte(s.Portfolio), s.Purpose, s.Attributes)
	if err != nil {
		return nil, fmt.Errorf("read the audience: %w", err)
	}
	return known(ctx, db, v, s, rows)
}

// known takes the people of a statement, and what is known of them elsewhere.
func known(ctx context.Context, db pg.DB, v *accounts.Vault, s Scope, rows pgx.Rows) ([]Person, error) {
	people, err := pgx.CollectRows(rows, scanPerson)
	if err != nil {
		return nil, fmt.Errorf("read the audience: %w", err)
	}
	if err := markSuppressed(ctx, db, v, s, people); err != nil {
		return nil, err
	}
	if err := markBarred(ctx, db, s, people); err != nil {
		return nil, err
	}
	if err := markCapped(ctx, db, v, s, people); err != nil {
		return nil, err
	}
	return people, markPlanned(ctx, db, s, people)
}

func scanPerson(row pgx.CollectableRow) (Person, error) {
	var p Person
	err := row.Scan(&p.Contact, &p.name, &p.erased, &p.phoneKey, &p.phone, &p.bsuid, &p.country,
		&p.permission, &p.granted, &p.expiresAt, &p.consent, &p.attributes)
	return p, err
}

const sqlSuppressed = `
select recipient_hash, reason
from suppression
where workspace_id = $1
  and recipient_hash = any ($2)
  and purpose = $3
  and lifted_at is null`

// markSuppressed looks every address up by its keyed hash: a suppression
// outlives the contact it was made for.
func markSuppressed(ctx context.Context, db pg.DB, v *accounts.Vault, s Scope, people []Person) error {
	owner := make(map[string]int, len(people))
	hashes := make([][]byte, 0, len(people))
	add := func(i int, key string) {
		h := v.RecipientHash(key)
		owner[string(h)] = i
		hashes = append(hashes, h)
	}
	for i, p := range people {
		if p.phoneKey != "" {
			add(i, "p:"+p.phoneKey)
		}
		if p.bsuid != "" {
			add(i, "b:"+p.bsuid)
		}
	}
	rows, err := db.Query(ctx, sqlSuppressed, s.Workspace, hashes, s.Purpose)
	if err != nil {
		return fmt.Errorf("look up suppressions: %w", err)
	}
	var hash []byte
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&hash, &reason}, func() error {
		people[owner[string(hash)]].suppression = reason
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up suppressions: %w", err)
	}
	return nil
}

const sqlAlreadyInRun = `
select recipient_key
from message
where workspace_id = $1
  and run_id = $2
  and recipient_key = any ($3)`

// markPlanned finds addresses an earlier chunk of the run holds already: an
// import moved the phone to another contact meanwhile. One person, one message.
func markPlanned(ctx context.Context, db pg.DB, s Scope, people []Person) error {
	if s.Run.IsZero() {
		return nil
	}
	owner := make(map[string]int, len(people))
	keys := make([]string, len(people))
	for i, p := range people {
		keys[i] = p.recipientKey()
		owner[keys[i]] = i
	}
	rows, err := db.Query(ctx, sqlAlreadyInRun, s.Workspace, s.Run, keys)
	if err != nil {
		return fmt.Errorf("look up the people of the run: %w", err)
	}
	var key string
	_, err = pgx.ForEachRow(rows, []any{&key}, func() error {
		people[owner[key]].alreadyInRun = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up the people of the run: %w", err)
	}
	return nil
}

const sqlCountPeople = `
select count(distinct contact_id)
from audience_member
where workspace_id = $1
  and audience_id = any ($2)`

// Count counts the members of the audiences, each person once.
func Count(ctx context.Context, db pg.DB, ws id.Workspace, audiences []id.Audience) (int64, error) {
	var n int64
	if err := db.QueryRow(ctx, sqlCountPeople, ws, audiences).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the audience: %w", err)
	}
	return n, nil
}
