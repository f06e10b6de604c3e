package consents

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/accounts/ledger"
	"bareed/internal/id"
)

// Every column of an entry but xid, as one JSON array: what its hash covers.
const sqlRowHash = `sha256(convert_to(jsonb_build_array(
	workspace_id, id, contact_id, encode(recipient_hash, 'hex'), purpose, action, method, source, wording_id,
	evidence, encode(evidence_hash, 'hex'), policy, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), declared,
	to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
	actor, import_id, import_row, encode(detail, 'hex'))::text, 'UTF8'))`

// Ledger describes the consent ledger to ledger.Verify.
func Ledger() ledger.Ledger { return ledger.Ledger{Name: "consent", RowHash: sqlRowHash} }

const sqlAppend = `
	insert into consent (workspace_id, id, contact_id, recipient_hash, purpose, action, method, source, wording_id, evidence,
		evidence_hash, policy, occurred_at, declared, recorded_at, expires_at, actor, import_id, import_row, detail, hash)
	select workspace_id, id, contact_id, recipient_hash, purpose, action, method, source, wording_id, evidence,
		evidence_hash, policy, occurred_at, declared, recorded_at, expires_at, actor, import_id, import_row, detail, ` + sqlRowHash + `
	from (
		select $1::uuid as workspace_id, e.*, bareed_now() as recorded_at, null::bytea as detail
		from unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::bytea[],
			$12::text[], $13::timestamptz[], $14::boolean[], $15::timestamptz[], $16::text[], $17::uuid[], $18::bigint[])
			as e (id, contact_id, recipient_hash, purpose, action, method, source, wording_id, evidence, evidence_hash,
				policy, occurred_at, declared, expires_at, actor, import_id, import_row)
	) entry`

// columns are entries turned on their side, as unnest takes them.
type columns struct {
	id             []id.Consent
	contact        []id.Contact
	hash, evidence [][]byte
	purpose        []string
	action         []string
	method         []string
	source         []string
	wording        []id.Wording
	evidenceText   []string
	policy         []string
	occurred       []time.Time
	declared       []bool
	expires        []*time.Time
	actor          []string
	imp            []id.Import
	row            []*int64
}

func columnsOf(v *accounts.Vault, entries []Entry) *columns {
	c := &columns{}
	for _, e := range entries {
		c.id = append(c.id, id.New[id.Consent]())
		c.contact = append(c.contact, e.Contact)
		c.hash = append(c.hash, v.RecipientHash(e.RecipientKey))
		c.evidence = append(c.evidence, e.EvidenceHash)
		c.purpose = append(c.purpose, string(e.Purpose))
		c.action = append(c.action, e.Action)
		c.method = append(c.method, e.Method)
		c.source = append(c.source, e.Source)
		c.wording = append(c.wording, e.Wording)
		c.evidenceText = append(c.evidenceText, e.Evidence)
		c.policy = append(c.policy, e.Policy)
		c.occurred = append(c.occurred, e.OccurredAt)
		c.declared = append(c.declared, e.Declared)
		c.expires = append(c.expires, e.ExpiresAt)
		c.actor = append(c.actor, e.Actor)
		c.imp = append(c.imp, e.Import)
		var row *int64
		if e.ImportRow > 0 {
			row = &e.ImportRow
		}
		c.row = append(c.row, row)
	}
	return c
}

// The permission is a maximum over the entries, so that two transactions may
// write it in any order: a dated entry is more than a declared one, a later one
// more than an earlier one, at the same instant a refusal more than a grant.
// A refusal known by hash alone, from before the contact was known, counts too.
const sqlPermit = `
	insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since, declared, expires_at)
	select distinct on (contact_id, purpose) $1, contact_id, purpose, granted, consent_id, since, declared, expires_at
	from (
		select contact_id, purpose, action = 'opt_in' as granted, id as consent_id, occurred_at as since, declared, expires_at
		from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::boolean[], $8::timestamptz[], $9::text[])
			as e (id, contact_id, purpose, action, occurred_at, declared, expires_at, method)
		where contact_id is not null
		  and not (method in ('user_preferences', 'meta_131050') and action = 'opt_in')
		union all
		select e.contact_id, s.purpose, false, s.consent_id, s.since, false, null
		from unnest($10::uuid[], $11::bytea[], $12::text[]) as e (contact_id, recipient_hash, purpose)
		join suppression s on s.workspace_id = $1 and s.recipient_hash = e.recipient_hash and s.purpose = e.purpose
		where e.contact_id is not null
		  and s.reason = 'opted_out'
		  and s.lifted_at is null
		  and s.consent_id is not null
	) entry
	order by contact_id, purpose, declared, since desc, granted
	on conflict (workspace_id, contact_id, purpose) do update
	set granted = excluded.granted,
	    consent_id = excluded.consent_id,
	    since = excluded.since,
	    declared = excluded.declared,
	    expires_at = excluded.expires_at
	where (not excluded.declared, excluded.since, not excluded.granted)
	    > (not permission.declared, permission.since, not permission.granted)`

// The suppression of every hash of a contact follows the contact's permission,
// which this transaction has locked. Suppressions for other reasons stay.
const sqlSuppress = `
	insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason, consent_id, since)
	select distinct on (h.recipient_hash, h.purpose) $1, h.recipient_hash, h.purpose, $2, 'opted_out', p.consent_id, p.since
	from unnest($3::bytea[], $4::uuid[], $5::text[]) as h (recipient_hash, contact_id, purpose)
	join permission p on p.workspace_id = $1 and p.contact_id = h.contact_id and p.purpose = h.purpose
	where not p.granted
	order by h.recipient_hash, h.purpose
	on conflict (workspace_id, recipient_hash, purpose) do update
	set reason = case when suppression.lifted_at is null then suppression.reason else 'opted_out' end,
	    consent_id = excluded.consent_id,
	    since = excluded.since,
	    lifted_at = null
	where suppression.lifted_at is not null
	   or suppression.since <> excluded.since`

// A dated grant lifts earlier refusals. WhatsApp's resume leaves the grant its
// old date, so what it lifts is told by the stop it takes back.
const sqlLift = `
	update suppression s
	set lifted_at = greatest(p.since, h.since)
	from unnest($2::bytea[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
		as h (recipient_hash, contact_id, purpose, action, since, method)
	join permission p on p.workspace_id = $1 and p.contact_id = h.contact_id and p.purpose = h.purpose
	where s.workspace_id = $1
	  and s.recipient_hash = h.recipient_hash
	  and s.purpose = h.purpose
	  and s.reason = 'opted_out'
	  and s.lifted_at is null
	  and p.granted
	  and (not p.declared and s.since < p.since
		or h.action = 'opt_in' and h.method in ('user_preferences', 'meta_131050') and s.since < h.since
			and exists (
				select from consent k
				where k.workspace_id = s.workspace_id
				  and k.id = s.consent_id
				  and k.method in ('user_preferences', 'meta_131050')))`

// record appends entries and brings permission and suppression up to date, all in
// tx. also are further keys by which the contacts are known.
func record(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, entries []Entry, also map[id.Contact][]string) error {
	if len(entries) == 0 {
		return nil
	}
	c := columnsOf(v, entries)
	if err := lockUnknown(ctx, tx, entries, c); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, sqlAppend, ws, c.id, c.contact, c.hash, c.purpose, c.action, c.method, c.source, c.wording, c.evidenceText, c.evidence,
		c.policy, c.occurred, c.declared, c.expires, c.actor, c.imp, c.row)
	if err != nil {
		return fmt.Errorf("append to the consent ledger: %w", err)
	}
	k := c.withKeys(v, also)
	_, err = tx.Exec(ctx, sqlPermit, ws, c.id, c.contact, c.purpose, c.action, c.occurred, c.declared, c.expires, c.method,
		k.contact, k.hash, k.purpose)
	if err != nil {
		return fmt.Errorf("write the permissions: %w", err)
	}
	for i, e := range entries {
		if fromPlatform(e.Method) && !e.Contact.IsZero() {
			if err := refold(ctx, tx, ws, e.Contact, k.hashesOf(c.contact[i])); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(ctx, sqlSuppress, ws, v.RecipientKeyVersion(), k.hash, k.contact, k.purpose)
	if err != nil {
		return fmt.Errorf("write the suppressions: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlLift, ws, k.hash, k.contact, k.purpose, k.action, k.occurred, k.method); err != nil {
		return fmt.Errorf("lift the suppressions: %w", err)
	}
	for i, e := range entries {
		if e.Contact.IsZero() {
			if err := refoldUnknown(ctx, tx, v, ws, c.hash[i], c.purpose[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// withKeys returns the columns that permission and suppression need, with each
// contact's entries repeated for its further keys.
func (c *columns) withKeys(v *accounts.Vault, also map[id.Contact][]string) *columns {
	k := &columns{id: slices.Clone(c.id), contact: slices.Clone(c.contact), hash: slices.Clone(c.hash), purpose: slices.Clone(c.purpose),
		action: slices.Clone(c.action), occurred: slices.Clone(c.occurred), method: slices.Clone(c.method)}
	for i := range c.id {
		for _, key := range also[c.contact[i]] {
			k.id = append(k.id, c.id[i])
			k.contact = append(k.contact, c.contact[i])
			k.hash = append(k.hash, v.RecipientHash(key))
			k.purpose = append(k.purpose, c.purpose[i])
			k.action = append(k.action, c.action[i])
			k.occurred = append(k.occurred, c.occurred[i])
			k.method = append(k.method, c.method[i])
		}
	}
	return k
}

func (c *columns) hashesOf(contact id.Contact) [][]byte {
	var all [][]byte
	for i, x := range c.contact {
		if x == contact {
			all = append(all, c.hash[i])
		}
	}
	return all
}
