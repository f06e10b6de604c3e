// Package directory finds people in a workspace by what somebody types: a whole
// phone number, or a part of a name.
//
// web calls it. It knows contacts and their identities and nothing else.
package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/phonetext"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// Query is what to find: Text is a number or a part of a name, and Audience
// narrows to its members. Both may be empty.
type Query struct {
	Text     string
	Audience id.Audience
	Before   id.Contact // only older ones, when given
	Limit    int
}

// countries are tried, in this order, for a number without country code.
var countries = []string{"SA", "AE", "EG", "KW", "QA", "BH", "OM", "JO", "IQ", "LB", "YE", "SY", "PS", "LY", "SD", "TN", "DZ", "MA", "TR", "PK", "IN", "GB", "DE", "FR", "US"}

const sqlPerson = `
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
	  and c.erased_at is null
	  and ($2::uuid is null or c.id < $2)
	  and ($3::uuid is null or exists (
		select from audience_member m
		where m.workspace_id = c.workspace_id
		  and m.audience_id = $3
		  and m.contact_id = c.id))`

const sqlByPhone = sqlPerson + `
	  and c.id in (
		select i.contact_id
		from identity i
		where i.workspace_id = $1
		  and i.kind = 'phone'
		  and i.portfolio_id = '00000000-0000-0000-0000-000000000000'
		  and i.key = any ($4))
	order by c.id desc
	limit $5`

// Letters that people type one for the other count as one, as in fold.
const sqlByName = sqlPerson + `
	  and position($4 in translate(lower(c.name), 'أإآىة', 'ااايه')) > 0
	order by c.id desc
	limit $5`

// Find returns people newest first. Without a text it is contacts.List.
func Find(ctx context.Context, tx pgx.Tx, ws id.Workspace, q Query) ([]contacts.Contact, error) {
	text := strings.TrimSpace(q.Text)
	if text == "" {
		return contacts.List(ctx, tx, ws, q.Audience, q.Before, q.Limit)
	}
	sql, what := sqlByName, any(fold(text))
	if phonetext.LooksLikePhone(text) {
		sql, what = sqlByPhone, keysOf(text)
	}
	rows, err := tx.Query(ctx, sql, ws, q.Before, q.Audience, what, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("find people: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contacts.Contact, error) {
		var c contacts.Contact
		err := row.Scan(&c.ID, &c.Name, &c.Phone, &c.Country, &c.CreatedAt, &c.UpdatedAt)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("find people: %w", err)
	}
	return list, nil
}

// keysOf are the numbers that a text can be: the one it is, or those it is in
// the countries we know people of.
func keysOf(text string) []string {
	keys := []string{}
	for _, country := range append([]string{""}, countries...) {
		p, err := contacts.ParsePhone(text, country)
		if err == nil && !slices.Contains(keys, p.Key) {
			keys = append(keys, p.Key)
		}
		if err == nil && country == "" {
			break
		}
	}
	return keys
}

func fold(s string) string {
	return strings.NewReplacer("أ", "ا", "إ", "ا", "آ", "ا", "ى", "ي", "ة", "ه").Replace(strings.ToLower(s))
}

// Overview is what a list of audiences shows of one besides its own row.
// MayBeMessaged is -1 for an audience with more than CountedMembers.
type Overview struct {
	MayBeMessaged int64
	LastState     string // of its newest import; empty without one
	LastAt        time.Time
}

// CountedMembers is the largest audience whose permissions a list counts.
const CountedMembers = 50_000

const sqlOverview = `
	select a.id, coalesce(i.state, ''), coalesce(i.created_at, 'epoch'), case when a.members <= $4 then (
		select count(*)
		from audience_member m
		join permission p on p.workspace_id = m.workspace_id and p.contact_id = m.contact_id and p.purpose = 'marketing'
		where m.workspace_id = $1
		  and m.audience_id = a.id
		  and p.granted
		  and (p.expires_at is null or p.expires_at > bareed_now())) else -1 end
	from unnest($2::uuid[], $3::bigint[]) as a (id, members)
	left join lateral (
		select state, created_at
		from import
		where workspace_id = $1
		  and audience_id = a.id
		order by id desc
		limit 1
	) i on true`

// Overviews returns what a list shows of its audiences: who may get marketing
// messages, and the newest import.
func Overviews(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []contacts.Audience) (map[id.Audience]Overview, error) {
	ids, members := make([]id.Audience, len(list)), make([]int64, len(list))
	for i, a := range list {
		ids[i], members[i] = a.ID, a.Members
	}
	rows, err := tx.Query(ctx, sqlOverview, ws, ids, members, CountedMembers)
	if err != nil {
		return nil, fmt.Errorf("look over the audiences: %w", err)
	}
	defer rows.Close()
	found := make(map[id.Audience]Overview, len(list))
	for rows.Next() {
		var a id.Audience
		var o Overview
		if err := rows.Scan(&a, &o.LastState, &o.LastAt, &o.MayBeMessaged); err != nil {
			return nil, fmt.Errorf("look over the audiences: %w", err)
		}
		found[a] = o
	}
	return found, rows.Err()
}

const sqlAudienceName = `
	select name
	from audience
	where workspace_id = $1
	  and id = $2
	  and deleted_at is null`

// AudienceName is the name without the counts of contacts.GetAudience.
func AudienceName(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience) (string, error) {
	var name string
	err := tx.QueryRow(ctx, sqlAudienceName, ws, audience).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New("not_found")
	}
	if err != nil {
		return "", fmt.Errorf("read an audience's name: %w", err)
	}
	return name, nil
}
