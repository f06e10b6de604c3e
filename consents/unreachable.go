package consents

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/id"
)

// Reasons of suppressions that are no word of the person's: they hold for every
// purpose, whatever was agreed to, until the person writes.
const (
	Undeliverable = "undeliverable"   // Meta cannot reach them: not on WhatsApp, as far as anybody knows
	BlockedAtMeta = "blocked_at_meta" // the business blocked them on WhatsApp
)

// sqlSuppressUnreachable leaves what stands, which says more.
const sqlSuppressUnreachable = `
	insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason)
	select distinct $1::uuid, h.hash, p.purpose, $2::int, $4::text
	from unnest($3::bytea[]) as h (hash)
	cross join unnest(array['authentication', 'marketing', 'utility']) as p (purpose)
	order by h.hash, p.purpose
	on conflict (workspace_id, recipient_hash, purpose) do update
	set reason = excluded.reason,
	    consent_id = null,
	    since = excluded.since,
	    lifted_at = null
	where suppression.lifted_at is not null`

// SuppressUnreachable suppresses people by the keyed hashes of how they were
// messaged, until they write. An opt-out that stands keeps its reason.
func SuppressUnreachable(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, hashes [][]byte, reason string) error {
	if len(hashes) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlSuppressUnreachable, ws, v.RecipientKeyVersion(), hashes, reason); err != nil {
		return fmt.Errorf("suppress people who cannot be reached: %w", err)
	}
	return nil
}

// sqlReachable lifts, except where the person opted out meanwhile and has not
// agreed since: then that remains, under its own name.
const sqlReachable = `
	with open as (
		select s.recipient_hash, s.purpose, s.consent_id
		from suppression s
		where s.workspace_id = $1
		  and s.recipient_hash = any ($2)
		  and s.reason in ('undeliverable', 'blocked_at_meta')
		  and s.lifted_at is null
		order by s.recipient_hash, s.purpose
		for update
	), word as (
		select o.recipient_hash, o.purpose, o.consent_id is not null and not coalesce(p.granted, false) as refused
		from open o
		left join consent k on k.workspace_id = $1 and k.id = o.consent_id
		left join permission p on p.workspace_id = $1 and p.contact_id = k.contact_id and p.purpose = o.purpose
	)
	update suppression s
	set reason = case when w.refused then 'opted_out' else s.reason end,
	    lifted_at = case when w.refused then null else bareed_now() end
	from word w
	where s.workspace_id = $1
	  and s.recipient_hash = w.recipient_hash
	  and s.purpose = w.purpose`

// Reachable lifts what SuppressUnreachable suppressed: these people wrote.
func Reachable(ctx context.Context, tx pgx.Tx, ws id.Workspace, hashes [][]byte) error {
	if len(hashes) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlReachable, ws, hashes); err != nil {
		return fmt.Errorf("lift suppressions of people who wrote: %w", err)
	}
	return nil
}

const sqlLeaveAlone = `
	insert into cool_off (workspace_id, recipient_hash, until)
	select $1, c.hash, max(c.at) + make_interval(hours => coalesce((
		select r.cool_off_hours
		from sending_rule r
		where r.workspace_id = $1), 24))
	from unnest($2::bytea[], $3::timestamptz[]) as c (hash, at)
	group by c.hash
	order by c.hash
	on conflict (workspace_id, recipient_hash) do update
	set until = greatest(cool_off.until, excluded.until)`

// LeaveAlone notes that Meta wants no more marketing for these people until a day
// after each time (131049), or as long as the workspace says. From the commit on
// none is claimed; the plan leaves them out until then.
func LeaveAlone(ctx context.Context, tx pgx.Tx, ws id.Workspace, hashes [][]byte, at []time.Time) error {
	if _, err := tx.Exec(ctx, sqlLeaveAlone, ws, hashes, at); err != nil {
		return fmt.Errorf("note who is to be left alone: %w", err)
	}
	return nil
}

// Reach is what Meta said of reaching a person, beside what they agreed to.
type Reach struct {
	Unreachable string     `json:"unreachable,omitempty" enum:"undeliverable,blocked_at_meta" doc:"Not messaged until they write: two messages did not reach them, or the business blocked them on WhatsApp"`
	Since       *time.Time `json:"since,omitempty" doc:"Of unreachable"`
	LeaveAlone  *time.Time `json:"leave_alone_until,omitempty" doc:"Meta refused marketing to them (131049); no campaign's marketing goes to them until then"`
}

const sqlReach = `
	select coalesce(u.reason, ''), u.since, (
		select max(c.until)
		from cool_off c
		where c.workspace_id = $1
		  and c.recipient_hash = any ($2)
		  and c.until > bareed_now())
	from (select) one
	left join lateral (
		select s.reason, s.since
		from suppression s
		where s.workspace_id = $1
		  and s.recipient_hash = any ($2)
		  and s.reason in ('undeliverable', 'blocked_at_meta')
		  and s.lifted_at is null
		order by s.since
		limit 1) u on true`

// ReachOf reads it of a contact, by every identity.
func ReachOf(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, contact id.Contact) (r Reach, err error) {
	keys, err := contacts.RecipientKeys(ctx, tx, ws, contact)
	if err != nil || len(keys) == 0 {
		return r, err
	}
	hashes := make([][]byte, len(keys))
	for i, key := range keys {
		hashes[i] = v.RecipientHash(key)
	}
	if err := tx.QueryRow(ctx, sqlReach, ws, hashes).Scan(&r.Unreachable, &r.Since, &r.LeaveAlone); err != nil {
		return r, fmt.Errorf("read whether a person can be reached: %w", err)
	}
	return r, nil
}
