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
	also := map[id.Contact][]string{contact: keys[len(given):]}
	others, err := o.toOthers(ctx, tx, ws, contact, policy, also)
	if err != nil {
		return err
	}
	if err := record(ctx, tx, v, ws, append(entries, others...), also); err != nil || !contact.IsZero() {
		return err
	}
	// While this waited, an id may have been learned to be a contact's.
	if o.Contact, _, err = contacts.Find(ctx, tx, ws, keys); err != nil || o.Contact.IsZero() {
		return err
	}
	return OptOut(ctx, tx, v, ws, o)
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
