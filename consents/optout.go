package consents

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// OptOutRequest is a refusal by one person. RecipientKeys are what they were
// recognised by (p:… and b:…); Contact may be given instead or as well. Without
// Purposes it is for all.
type OptOutRequest struct {
	RecipientKeys []string
	Contact       id.Contact
	Purposes      []Purpose
	Method        string
	Source        string
	OccurredAt    time.Time
	Actor         string
}

// OptOut records a refusal and suppresses every identity of the person, known
// or not: an unknown one is suppressed by hash, which meets every later import.
func OptOut(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, o OptOutRequest) error {
	policy, now, err := ground(ctx, tx, ws)
	if err != nil {
		return err
	}
	if err := checkCommon(o.Purposes, o.Method, o.Source, "", o.OccurredAt, now); err != nil {
		return err
	}
	contact, keys, err := resolve(ctx, tx, ws, o.Contact, o.RecipientKeys)
	if err != nil {
		return err
	}
	given := keys[:1]
	if contact.IsZero() {
		given = keys
	}
	var entries []Entry
	for _, key := range given {
		for _, purpose := range platformPurposes(o.Method, o.Purposes) {
			entries = append(entries, Entry{Contact: contact, RecipientKey: key, Purpose: purpose, Action: ActionOptOut,
				Method: o.Method, Source: o.Source, Policy: policy, OccurredAt: o.OccurredAt, Actor: o.Actor})
		}
	}
	return record(ctx, tx, v, ws, entries, map[id.Contact][]string{contact: keys[len(given):]})
}

// resolve finds the person and every key of theirs, those of the request first.
// At least one key comes back. A contact that was named must be there; one that
// is recognised may be erased, and its refusal still counts.
func resolve(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact, keys []string) (id.Contact, []string, error) {
	keys = allOf(keys)
	if !contact.IsZero() {
		if _, err := contacts.Get(ctx, tx, ws, contact); err != nil {
			return contact, nil, err
		}
	} else if len(keys) > 0 {
		var err error
		if contact, _, err = contacts.Find(ctx, tx, ws, keys); err != nil {
			return contact, nil, err
		}
	}
	if !contact.IsZero() {
		known, err := contacts.RecipientKeys(ctx, tx, ws, contact)
		if err != nil {
			return contact, nil, err
		}
		keys = allOf(append(keys, known...))
	}
	switch {
	case len(keys) == 0 && contact.IsZero():
		return contact, nil, errs.New("not_found")
	case len(keys) == 0:
		keys = []string{"c:" + contact.String()} // nothing they could be reached by
	}
	return contact, keys, nil
}

const sqlGround = `
	select consent_policy, bareed_now()
	from workspace
	where workspace_id = $1`

// ground reads what every judgement rests on: the workspace's policy and the
// database's time.
func ground(ctx context.Context, tx pgx.Tx, ws id.Workspace) (policy string, now time.Time, err error) {
	if err := tx.QueryRow(ctx, sqlGround, ws).Scan(&policy, &now); err != nil {
		return "", now, fmt.Errorf("read the consent policy: %w", err)
	}
	return policy, now, nil
}

const sqlSuppressedKeys = `
	select s.purpose, s.consent_id, s.since
	from suppression s
	where s.workspace_id = $1
	  and s.recipient_hash = any ($2)
	  and s.reason = 'opted_out'
	  and s.lifted_at is null
	  and s.consent_id is not null`

const sqlDeny = `
	insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
	values ($1, $2, $3, false, $4, $5)
	on conflict (workspace_id, contact_id, purpose) do update
	set granted = false,
	    consent_id = excluded.consent_id,
	    since = excluded.since,
	    declared = false,
	    expires_at = null
	where permission.declared
	   or permission.granted and excluded.since >= permission.since
	   or not permission.granted and excluded.since > permission.since`

// Learned is called in the transaction that gives a contact a further identity:
// what was refused under any of its identities holds for all of them.
func Learned(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, contact id.Contact) error {
	keys, err := contacts.RecipientKeys(ctx, tx, ws, contact)
	if err != nil {
		return err
	}
	k := &columns{}
	for _, key := range keys {
		for _, p := range Purposes() {
			k.id, k.contact, k.hash = append(k.id, id.Consent{}), append(k.contact, contact), append(k.hash, v.RecipientHash(key))
			k.purpose, k.action = append(k.purpose, string(p)), append(k.action, "")
			k.occurred, k.method = append(k.occurred, time.Time{}), append(k.method, "")
		}
	}
	rows, err := tx.Query(ctx, sqlSuppressedKeys, ws, k.hash)
	if err != nil {
		return fmt.Errorf("look for refusals: %w", err)
	}
	type refusal struct {
		Purpose string
		Consent id.Consent
		Since   time.Time
	}
	refusals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[refusal])
	if err != nil {
		return fmt.Errorf("look for refusals: %w", err)
	}
	for _, r := range refusals {
		if _, err := tx.Exec(ctx, sqlDeny, ws, contact, r.Purpose, r.Consent, r.Since); err != nil {
			return fmt.Errorf("carry a refusal over: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, sqlSuppress, ws, v.RecipientKeyVersion(), k.hash, k.contact, k.purpose, k.action, k.id, k.occurred); err != nil {
		return fmt.Errorf("carry a refusal over: %w", err)
	}
	return nil
}
