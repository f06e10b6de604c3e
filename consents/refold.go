package consents

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
)

const sqlLockPermission = `
	select granted
	from permission
	where workspace_id = $1
	  and contact_id = $2
	  and purpose = 'marketing'
	for update`

// The latest word of the person and the latest of WhatsApp: WhatsApp's stop
// decides when it is not older, otherwise the person's does.
const sqlRefold = `
	update permission pm
	set granted = d.granted,
	    consent_id = d.id,
	    since = d.occurred_at,
	    declared = d.declared,
	    expires_at = d.expires_at
	from (
		select id, action = 'opt_in' as granted, occurred_at, declared, expires_at
		from (
			(select id, action, occurred_at, declared, expires_at, false as platform
			from consent
			where workspace_id = $1
			  and (contact_id = $2 or contact_id is null and recipient_hash = any ($3))
			  and purpose = 'marketing'
			  and method not in ('user_preferences', 'meta_131050')
			order by declared, occurred_at desc, action desc
			limit 1)
			union all
			(select id, action, occurred_at, declared, expires_at, true
			from consent
			where workspace_id = $1
			  and (contact_id = $2 or contact_id is null and recipient_hash = any ($3))
			  and purpose = 'marketing'
			  and method in ('user_preferences', 'meta_131050')
			order by occurred_at desc, action desc
			limit 1)
		) latest
		where not platform or action = 'opt_out'
		order by declared, occurred_at desc, action desc
		limit 1
	) d
	where pm.workspace_id = $1
	  and pm.contact_id = $2
	  and pm.purpose = 'marketing'`

// refold works the marketing permission out of the whole ledger of one contact.
// The row is locked first, so that the second statement sees every entry whose
// transaction had the row before.
func refold(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact, hashes [][]byte) error {
	err := tx.QueryRow(ctx, sqlLockPermission, ws, contact).Scan(new(bool))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // nobody ever said anything but "resume", which permits nothing
	}
	if err != nil {
		return fmt.Errorf("lock the permission: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlRefold, ws, contact, hashes); err != nil {
		return fmt.Errorf("work the permission out again: %w", err)
	}
	return nil
}

const sqlLockUnknown = `select pg_advisory_xact_lock($1)`

// lockUnknown makes transactions about one unknown person follow each other:
// there may be no row yet that both would lock.
func lockUnknown(ctx context.Context, tx pgx.Tx, entries []Entry, c *columns) error {
	for i, e := range entries {
		if !e.Contact.IsZero() {
			continue
		}
		if _, err := tx.Exec(ctx, sqlLockUnknown, lockNumber(c.hash[i])); err != nil {
			return fmt.Errorf("lock an unknown person: %w", err)
		}
	}
	return nil
}

// The same decision as in sqlRefold over what is known by hash alone.
const sqlUnknownDecision = `
	select id, action = 'opt_in', occurred_at
	from (
		(select id, action, occurred_at, false as platform
		from consent
		where workspace_id = $1
		  and contact_id is null
		  and recipient_hash = $2
		  and purpose = $3
		  and method not in ('user_preferences', 'meta_131050')
		order by occurred_at desc, action desc
		limit 1)
		union all
		(select id, action, occurred_at, true
		from consent
		where workspace_id = $1
		  and contact_id is null
		  and recipient_hash = $2
		  and purpose = $3
		  and method in ('user_preferences', 'meta_131050')
		order by occurred_at desc, action desc
		limit 1)
	) latest
	order by platform and action = 'opt_in', occurred_at desc, action desc
	limit 1`

const sqlSuppressUnknown = `
	insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason, consent_id, since)
	values ($1, $2, $3, $4, 'opted_out', $5, $6)
	on conflict (workspace_id, recipient_hash, purpose) do update
	set reason = case when suppression.lifted_at is null then suppression.reason else 'opted_out' end,
	    consent_id = excluded.consent_id,
	    since = excluded.since,
	    lifted_at = null`

// Only what was refused by hash alone is lifted by hash alone.
const sqlLiftUnknown = `
	update suppression s
	set lifted_at = $4
	from consent k
	where s.workspace_id = $1
	  and s.recipient_hash = $2
	  and s.purpose = $3
	  and s.reason = 'opted_out'
	  and s.lifted_at is null
	  and k.workspace_id = $1
	  and k.id = s.consent_id
	  and k.contact_id is null`

// refoldUnknown works the suppression of a hash nobody is known by out of the
// whole ledger. lockUnknown came first.
func refoldUnknown(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, hash []byte, purpose string) error {
	var decided id.Consent
	var granted bool
	var at time.Time
	if err := tx.QueryRow(ctx, sqlUnknownDecision, ws, hash, purpose).Scan(&decided, &granted, &at); err != nil {
		return fmt.Errorf("work a suppression out again: %w", err)
	}
	var err error
	if granted {
		_, err = tx.Exec(ctx, sqlLiftUnknown, ws, hash, purpose, at)
	} else {
		_, err = tx.Exec(ctx, sqlSuppressUnknown, ws, hash, purpose, v.RecipientKeyVersion(), decided, at)
	}
	if err != nil {
		return fmt.Errorf("work a suppression out again: %w", err)
	}
	return nil
}
