package consents

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/contacts/identity"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Joined is called in the transaction that learned which ids are one person:
//   - what was refused under any id of a contact holds for all of them;
//   - of two contacts said to be one, the stricter word holds for both;
//   - of a person who is no contact, a refusal by one id is one by the other,
//     and meets the import that brings them.
//
// An opt-in is never carried over.
func Joined(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, l identity.Learned) error {
	if err := carryOver(ctx, tx, v, ws, l.People); err != nil {
		return err
	}
	if len(l.Strangers)+len(l.Conflicts) == 0 {
		return nil
	}
	policy, _, err := ground(ctx, tx, ws)
	if err != nil {
		return err
	}
	if err := carryToStrangers(ctx, tx, v, ws, policy, l.Strangers); err != nil {
		return err
	}
	return carryAcross(ctx, tx, v, ws, policy, l.Conflicts)
}

const sqlKeysOf = `
	select contact_id, case kind when 'phone' then 'p:' else 'b:' end || key
	from identity
	where workspace_id = $1
	  and contact_id = any ($2)
	  and kind <> 'username'
	order by contact_id, kind, key`

// The numbers come in order, so that two transactions wait for each other.
const sqlLockHashes = `
	select pg_advisory_xact_lock(l.n)
	from unnest($1::bigint[]) as l (n)`

const sqlCarryOver = `
	insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
	select distinct on (h.contact_id, s.purpose) $1, h.contact_id, s.purpose, false, s.consent_id, s.since
	from unnest($2::uuid[], $3::bytea[]) as h (contact_id, recipient_hash)
	join suppression s on s.workspace_id = $1 and s.recipient_hash = h.recipient_hash
	where s.reason = 'opted_out'
	  and s.lifted_at is null
	  and s.consent_id is not null
	order by h.contact_id, s.purpose, s.since desc
	on conflict (workspace_id, contact_id, purpose) do update
	set granted = false,
	    consent_id = excluded.consent_id,
	    since = excluded.since,
	    declared = false,
	    expires_at = null
	where permission.declared
	   or permission.granted and excluded.since >= permission.since
	   or not permission.granted and excluded.since > permission.since`

// carryOver makes a refusal under any id of a contact hold for the contact. An
// opt-out by an id nobody knew a moment ago may be on its way: the lock waits
// for it, or makes it look again (see OptOut).
func carryOver(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, people []id.Contact) error {
	if len(people) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, sqlKeysOf, ws, people)
	if err != nil {
		return fmt.Errorf("read the identities: %w", err)
	}
	var whose, each []id.Contact
	var hashes, repeated [][]byte
	var purposes []string
	var locks []int64
	var contact id.Contact
	var key string
	_, err = pgx.ForEachRow(rows, []any{&contact, &key}, func() error {
		hash := v.RecipientHash(key)
		whose, hashes, locks = append(whose, contact), append(hashes, hash), append(locks, lockNumber(hash))
		for _, p := range Purposes() {
			each, repeated, purposes = append(each, contact), append(repeated, hash), append(purposes, string(p))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the identities: %w", err)
	}
	slices.Sort(locks)
	if _, err := tx.Exec(ctx, sqlLockHashes, locks); err != nil {
		return fmt.Errorf("wait for opt-outs: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlCarryOver, ws, whose, hashes); err != nil {
		return fmt.Errorf("carry refusals over: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlSuppress, ws, v.RecipientKeyVersion(), repeated, each, purposes); err != nil {
		return fmt.Errorf("carry refusals over: %w", err)
	}
	return nil
}

// lockNumber is the advisory lock of one hash.
func lockNumber(hash []byte) int64 { return int64(binary.BigEndian.Uint64(hash)) }

const sqlRefusedByOther = `
	select distinct on (t.n, s.purpose) t.n, s.purpose, k.method, s.since
	from unnest($2::bytea[], $3::bytea[]) with ordinality as t (known, other, n)
	join suppression s on s.workspace_id = $1 and s.recipient_hash = t.known
	join consent k on k.workspace_id = $1 and k.id = s.consent_id
	left join suppression o on o.workspace_id = $1 and o.recipient_hash = t.other and o.purpose = s.purpose
	where s.reason = 'opted_out'
	  and s.lifted_at is null
	  and (o.purpose is null or s.since >= o.lifted_at)
	order by t.n, s.purpose`

// carryToStrangers writes a refusal by one hash as one by the other.
func carryToStrangers(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, policy string, strangers []identity.Stranger) error {
	if len(strangers) == 0 {
		return nil
	}
	var known, other [][]byte
	var keys []string
	for _, s := range strangers {
		phone, scoped := v.RecipientHash(s.Phone), v.RecipientHash(s.Scoped)
		known, other, keys = append(known, phone, scoped), append(other, scoped, phone), append(keys, s.Scoped, s.Phone)
	}
	rows, err := tx.Query(ctx, sqlRefusedByOther, ws, known, other)
	if err != nil {
		return fmt.Errorf("look for refusals by another id: %w", err)
	}
	var entries []Entry
	var n int64
	e := Entry{Action: ActionOptOut, Source: "The same person refused by another id", Policy: policy, Actor: actorLearned}
	_, err = pgx.ForEachRow(rows, []any{&n, &e.Purpose, &e.Method, &e.OccurredAt}, func() error {
		e.RecipientKey = keys[n-1]
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for refusals by another id: %w", err)
	}
	return record(ctx, tx, v, ws, entries, nil)
}

// actorLearned is who writes what follows from learning that two ids are one person.
const actorLearned = "system:worker"

// methodSamePerson stands for the method of a refusal whose entry is not there.
const methodSamePerson = "same_person"

const sqlRefusedByOtherContact = `
	select c.contact_id, c.other_id, o.purpose, coalesce(k.method, '` + methodSamePerson + `'), greatest(o.since, m.since)
	from unnest($2::uuid[], $3::uuid[], $4::boolean[]) as c (contact_id, other_id, fresh)
	join permission o on o.workspace_id = $1 and o.contact_id = c.other_id and not o.granted
	left join consent k on k.workspace_id = $1 and k.id = o.consent_id
	left join permission m on m.workspace_id = $1 and m.contact_id = c.contact_id and m.purpose = o.purpose
	where m.purpose is null
	   or m.granted and (c.fresh or m.declared or o.since >= m.since)`

// carryAcross writes the refusal of one of two contacts to the other's ledger.
// When the two are first said to be one it outdoes even a later opt-in of the
// other, because nobody can tell whose word that was; afterwards what the
// person says later counts again.
func carryAcross(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, policy string, conflicts []identity.Conflict) error {
	if len(conflicts) == 0 {
		return nil
	}
	whose, others, fresh := make([]id.Contact, len(conflicts)), make([]id.Contact, len(conflicts)), make([]bool, len(conflicts))
	for i, c := range conflicts {
		whose[i], others[i], fresh[i] = c.Contact, c.Other, c.Fresh
	}
	type refusal struct {
		Contact, Other id.Contact
		Purpose        Purpose
		Method         string
		At             time.Time
	}
	refusals, err := pg.All(ctx, tx, "look for refusals by another contact", pgx.RowToStructByPos[refusal], sqlRefusedByOtherContact, ws, whose, others, fresh)
	if err != nil {
		return err
	}
	var entries []Entry
	also := map[id.Contact][]string{}
	for _, r := range refusals {
		key, err := keysInto(ctx, tx, ws, r.Contact, also)
		if err != nil {
			return err
		}
		entries = append(entries, Entry{Contact: r.Contact, RecipientKey: key, Purpose: r.Purpose, Action: ActionOptOut, Method: r.Method,
			Source: "The same person as " + r.Other.String(), Policy: policy, OccurredAt: r.At, Actor: actorLearned})
	}
	return record(ctx, tx, v, ws, entries, also)
}

// keysInto returns a contact's first key and puts the rest into also.
func keysInto(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact, also map[id.Contact][]string) (string, error) {
	keys, err := contacts.RecipientKeys(ctx, tx, ws, contact)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "c:" + contact.String(), nil // erased; the refusal still counts
	}
	also[contact] = keys[1:]
	return keys[0], nil
}

// toOthers repeats a refusal for the contacts that are said to be the same person.
func (o OptOutRequest) toOthers(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact, policy string, also map[id.Contact][]string) ([]Entry, error) {
	others, err := identity.Others(ctx, tx, ws, contact)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, other := range others {
		key, err := keysInto(ctx, tx, ws, other, also)
		if err != nil {
			return nil, err
		}
		for _, purpose := range platformPurposes(o.Method, o.Purposes) {
			entries = append(entries, Entry{Contact: other, RecipientKey: key, Purpose: purpose, Action: ActionOptOut, Method: o.Method,
				Source: "The same person as " + contact.String(), Policy: policy, OccurredAt: o.OccurredAt, Actor: o.Actor})
		}
	}
	return entries, nil
}
