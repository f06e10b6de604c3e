// Package directory finds people in a workspace by what somebody types: a whole
// phone number, or a part of a name.
//
// web calls it. It knows contacts and their identities and nothing else.
package directory

import (
	"cmp"
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
	Through  int // how many people's names are looked at; zero for LookedThrough
}

// LookedThrough is how many people one look for a part of a name goes through,
// newest first. No index can help: under row-level security only comparisons of
// whole values may use one.
const LookedThrough = 50_000

// countries are tried, in this order, for a number without country code.
var countries = []string{"SA", "AE", "EG", "KW", "QA", "BH", "OM", "JO", "IQ", "LB", "YE", "SY", "PS", "LY", "SD", "TN", "DZ", "MA", "TR", "PK", "IN", "GB", "DE", "FR", "US"}

const sqlByPhone = `
	select i.contact_id, false
	from identity i
	where i.workspace_id = $1
	  and i.kind = 'phone'
	  and i.portfolio_id = '00000000-0000-0000-0000-000000000000'
	  and i.key = any ($4)
	  and ($2::uuid is null or i.contact_id < $2)
	  and ($3::uuid is null or exists (
		select from audience_member m
		where m.workspace_id = i.workspace_id
		  and m.audience_id = $3
		  and m.contact_id = i.contact_id))
	order by i.contact_id desc
	limit $5`

// sqlByName looks through the newest people behind $2, and sqlByMember through
// the newest members of $3. Letters that people type one for the other count as
// one, as in fold. The last row is where the look ended before the last person.
const (
	sqlByName = `
	with newest as materialized (
		select c.id, c.name
		from contact c
		where c.workspace_id = $1
		  and c.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
		  and $3::uuid is null
		  and c.erased_at is null
		order by c.id desc
		limit $6)` + sqlMatches

	sqlByMember = `
	with newest as materialized (
		select m.contact_id as id, c.name
		from (
			select m.contact_id
			from audience_member m
			where m.workspace_id = $1
			  and m.audience_id = $3
			  and m.contact_id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
			order by m.contact_id desc
			limit $6) m
		cross join lateral (
			select case when c.erased_at is null then c.name else '' end as name
			from contact c
			where c.workspace_id = $1
			  and c.id = m.contact_id
			offset 0) c)` + sqlMatches

	sqlMatches = `
	(select n.id, false
	from newest n
	where position($4 in translate(lower(n.name), 'أإآىة', 'ااايه')) > 0
	order by n.id desc
	limit $5)
	union all
	(select n.id, true
	from newest n
	order by n.id desc
	offset greatest($6 - 1, 0)
	limit 1)`
)

// sqlInOrder makes the rest of a transaction follow an index rather than sort:
// the planner would read and sort all of an audience for its newest members.
// What it then takes for dear is not worth compiling.
const sqlInOrder = `select set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`

// Find returns people newest first. Without a text it is contacts.List. A look
// for a name ends after LookedThrough people: further is the last of them then,
// and zero when everybody was looked at or Limit was found before.
func Find(ctx context.Context, tx pgx.Tx, ws id.Workspace, q Query) (found []contacts.Contact, further id.Contact, err error) {
	text := strings.TrimSpace(q.Text)
	if text == "" {
		found, err = contacts.List(ctx, tx, ws, q.Audience, q.Before, q.Limit)
		return found, further, err
	}
	var rows pgx.Rows
	through := cmp.Or(q.Through, LookedThrough)
	switch {
	case phonetext.LooksLikePhone(text):
		rows, err = tx.Query(ctx, sqlByPhone, ws, q.Before, q.Audience, keysOf(text), q.Limit)
	case q.Audience.IsZero():
		rows, err = tx.Query(ctx, sqlByName, ws, q.Before, q.Audience, fold(text), q.Limit, through)
	default:
		if _, err = tx.Exec(ctx, sqlInOrder); err == nil {
			rows, err = tx.Query(ctx, sqlByMember, ws, q.Before, q.Audience, fold(text), q.Limit, through)
		}
	}
	if err != nil {
		return nil, further, fmt.Errorf("find people: %w", err)
	}
	var ids []id.Contact
	var one id.Contact
	var end bool
	_, err = pgx.ForEachRow(rows, []any{&one, &end}, func() error {
		if !end {
			ids = append(ids, one)
		} else if len(ids) < q.Limit {
			further = one
		}
		return nil
	})
	if err != nil {
		return nil, further, fmt.Errorf("find people: %w", err)
	}
	found, err = contacts.Those(ctx, tx, ws, ids)
	return found, further, err
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
