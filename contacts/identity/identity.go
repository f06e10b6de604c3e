// Package identity owns how the ids of one person find each other: the phone we
// send to, the business-scoped user id Meta names people by (one per portfolio
// and person), and the username.
//
// The worker calls it with what webhooks say; consents carries refusals over to
// what was learned. It must not know what anybody agreed to.
package identity

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/internal/id"
)

// Pair is what one webhook says of one person. Any part may be empty.
type Pair struct {
	WaID     string // Meta's digits
	BSUID    string
	Username string
}

// Learned is what was new in some pairs, for consents to act on.
type Learned struct {
	People    []id.Contact // who has an identity they did not have before
	Conflicts []Conflict
	Strangers []Stranger
}

// Conflict is a pair that names two contacts at once. Neither loses an identity.
type Conflict struct {
	Contact, Other id.Contact
	Fresh          bool // not heard of before
}

// Stranger is a pair that names no contact, as the two recipient keys.
type Stranger struct{ Phone, Scoped string }

// What may be stored. Meta documents CC.alphanumerics for a business-scoped id;
// any other printable form is learned too, because an opt-out may come by it.
// Lengths stand beside the forms: as a part of them they would be compiled into
// thousands of states each time a program starts.
var (
	reWaID     = regexp.MustCompile(`^[1-9][0-9]{4,14}$`)
	reBSUID    = regexp.MustCompile(`^[!-~]+$`)
	reUsername = regexp.MustCompile(`^[\pL\pN._-]+$`)
)

const (
	longestBSUID    = 160 // bytes
	longestUsername = 64  // letters
)

// clean leaves what says something new about a person: at least one id and one
// further fact, each pair once, in order of the phones.
func clean(pairs []Pair) []Pair {
	var all []Pair
	for _, p := range pairs {
		p.Username = strings.ToLower(p.Username)
		if !reWaID.MatchString(p.WaID) {
			p.WaID = ""
		}
		if len(p.BSUID) > longestBSUID || !reBSUID.MatchString(p.BSUID) {
			p.BSUID = ""
		}
		if utf8.RuneCountInString(p.Username) > longestUsername || !reUsername.MatchString(p.Username) {
			p.Username = ""
		}
		if p.WaID+p.BSUID != "" && (p.WaID != "" && p.BSUID != "" || p.Username != "") {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Pair) int {
		return cmp.Or(strings.Compare(a.WaID, b.WaID), strings.Compare(a.BSUID, b.BSUID), strings.Compare(a.Username, b.Username))
	})
	return slices.Compact(all)
}

// known is a pair with the contacts its parts name, zero for none.
type known struct {
	Pair
	phone, scoped, named id.Contact
	stale                bool // last seen more than a day ago
}

func (k known) phoneKey() string {
	if k.WaID == "" {
		return ""
	}
	return strings.TrimPrefix(contacts.RecipientKeyOfWaID(k.WaID), "p:")
}

// whose is the one contact a pair names, by the scoped id first, which Meta
// gives to one person only.
func (k known) whose() id.Contact {
	if k.scoped.IsZero() {
		return k.phone
	}
	return k.scoped
}

// sqlKnown looks each name up by the whole key. A plain join would be planned
// by statistics that are older than the import, and read everybody for each one.
const sqlKnown = `
	select p.n, ph.contact_id, sc.contact_id, un.contact_id,
		coalesce(least(ph.last_seen, sc.last_seen) < bareed_now() - interval '1 day', false)
	from unnest($3::text[], $4::text[], $5::text[]) with ordinality as p (phone, bsuid, username, n)
	left join lateral (
		select i.contact_id, i.last_seen
		from identity i
		where i.workspace_id = $1
		  and i.kind = 'phone'
		  and i.portfolio_id = '00000000-0000-0000-0000-000000000000'
		  and i.key = p.phone
		limit 1) ph on true
	left join lateral (
		select i.contact_id, i.last_seen
		from identity i
		where i.workspace_id = $1
		  and i.kind = 'bsuid'
		  and i.portfolio_id = $2
		  and i.key = p.bsuid
		limit 1) sc on true
	left join lateral (
		select i.contact_id
		from identity i
		where i.workspace_id = $1
		  and i.kind = 'username'
		  and i.portfolio_id = $2
		  and i.key = p.username
		limit 1) un on true`

func find(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio, pairs []Pair) ([]known, error) {
	all := make([]known, len(pairs))
	phones, scoped, names := make([]string, len(pairs)), make([]string, len(pairs)), make([]string, len(pairs))
	for i, p := range pairs {
		all[i].Pair = p
		phones[i], scoped[i], names[i] = all[i].phoneKey(), p.BSUID, p.Username
	}
	rows, err := tx.Query(ctx, sqlKnown, ws, portfolio, phones, scoped, names)
	if err != nil {
		return nil, fmt.Errorf("find who is named: %w", err)
	}
	var n int64
	var k known
	_, err = pgx.ForEachRow(rows, []any{&n, &k.phone, &k.scoped, &k.named, &k.stale}, func() error {
		k.Pair = pairs[n-1]
		all[n-1] = k
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find who is named: %w", err)
	}
	return all, nil
}
