package consents

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// OptInRequest is one person's agreement. A person nobody knows is made a
// contact when Phone is given. Without Purposes it is for marketing. Wording is
// what they agreed to; a person who writes START has agreed in their own words.
type OptInRequest struct {
	RecipientKeys []string
	Contact       id.Contact
	Phone         contacts.Phone
	Purposes      []Purpose
	Method        string
	Source        string
	Wording       *contacts.Wording
	Evidence      string
	OccurredAt    time.Time
	ExpiresAt     *time.Time
	Actor         string
}

// OptIn records an agreement. It lifts an earlier opt-out of the same purpose;
// a later one stands. What WhatsApp reports as resumed takes back WhatsApp's own
// stop of marketing and nothing else. The contact is zero when nobody is known.
func OptIn(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, o OptInRequest) (id.Contact, error) {
	policy, now, err := ground(ctx, tx, ws)
	if err != nil {
		return id.Contact{}, err
	}
	if len(o.Purposes) == 0 {
		o.Purposes = []Purpose{Marketing}
	}
	if err := checkCommon(o.Purposes, o.Method, o.Source, o.Evidence, o.OccurredAt, now); err != nil {
		return id.Contact{}, err
	}
	if err := o.acceptable(policy); err != nil {
		return id.Contact{}, err
	}
	if o.Phone.Key != "" {
		o.RecipientKeys = append([]string{o.Phone.RecipientKey()}, o.RecipientKeys...)
		if o.Contact.IsZero() && !fromPlatform(o.Method) {
			if o.Contact, err = contacts.Ensure(ctx, tx, ws, o.Phone); err != nil {
				return id.Contact{}, err
			}
		}
	}
	contact, keys, err := resolve(ctx, tx, ws, o.Contact, o.RecipientKeys)
	if err != nil {
		return id.Contact{}, err
	}
	wording, err := keepWording(ctx, tx, ws, o.Wording)
	if err != nil {
		return id.Contact{}, err
	}
	given := keys[:1]
	if contact.IsZero() {
		given = keys
	}
	var entries []Entry
	for _, key := range given {
		for _, purpose := range platformPurposes(o.Method, o.Purposes) {
			entries = append(entries, Entry{Contact: contact, RecipientKey: key, Purpose: purpose, Action: ActionOptIn, Method: o.Method,
				Source: o.Source, Wording: wording, Evidence: o.Evidence, Policy: policy, OccurredAt: o.OccurredAt, ExpiresAt: o.ExpiresAt, Actor: o.Actor})
		}
	}
	return contact, record(ctx, tx, v, ws, entries, map[id.Contact][]string{contact: keys[len(given):]})
}

// acceptable holds an agreement against the workspace's policy. Words and taps
// in the WhatsApp chat itself need no wording: they name both sides.
func (o OptInRequest) acceptable(policy string) error {
	if FromChat(o.Method) {
		return nil
	}
	if policy == contacts.PolicyGeneral && o.Wording == nil {
		return nil
	}
	if policy != contacts.PolicyGeneral && strings.TrimSpace(o.Source) == "" {
		return errs.New("consent.source_missing").At("/source", "")
	}
	err := o.Wording.Check(policy)
	if e, ok := errs.As(err); ok {
		return e.At("/wording", "")
	}
	return err
}

const sqlKeepWording = `
	insert into wording (workspace_id, id, version, text, business_name, names_whatsapp, hash)
	values ($1, $2, $3, $4, $5, $6, $7)
	on conflict (workspace_id, hash) do nothing`

const sqlWording = `
	select id
	from wording
	where workspace_id = $1
	  and hash = $2`

// keepWording stores a text once and returns its id, zero for none.
func keepWording(ctx context.Context, tx pgx.Tx, ws id.Workspace, w *contacts.Wording) (id.Wording, error) {
	if w == nil {
		return id.Wording{}, nil
	}
	text, err := json.Marshal([]string{w.Version, w.Text, w.BusinessName})
	if err != nil {
		return id.Wording{}, fmt.Errorf("keep the wording: %w", err)
	}
	hash := sha256.Sum256(text)
	_, err = tx.Exec(ctx, sqlKeepWording, ws, id.New[id.Wording](), w.Version, w.Text, w.BusinessName, w.NamesWhatsApp(), hash[:])
	if err != nil {
		return id.Wording{}, fmt.Errorf("keep the wording: %w", err)
	}
	var wording id.Wording
	if err := tx.QueryRow(ctx, sqlWording, ws, hash[:]).Scan(&wording); err != nil {
		return id.Wording{}, fmt.Errorf("keep the wording: %w", err)
	}
	return wording, nil
}

const sqlScopedKeys = `
	select contact_id, key
	from identity
	where workspace_id = $1
	  and contact_id = any ($2)
	  and kind in ('bsuid', 'parent_bsuid')`

const sqlRefused = `
	select distinct contact_id
	from permission
	where workspace_id = $1
	  and contact_id = any ($2)
	  and purpose = any ($3)
	  and not granted`

// ForImports returns what a contacts.Importer records agreements with: every
// person of a chunk, one entry per purpose, and who stays opted out.
func ForImports(v *accounts.Vault) func(context.Context, pgx.Tx, id.Workspace, contacts.Said) ([]id.Contact, error) {
	return func(ctx context.Context, tx pgx.Tx, ws id.Workspace, said contacts.Said) ([]id.Contact, error) {
		wording, err := keepWording(ctx, tx, ws, said.Declaration.Wording)
		if err != nil {
			return nil, err
		}
		entries, who := entriesOf(said, wording)
		also, err := scopedKeys(ctx, tx, ws, who)
		if err != nil {
			return nil, err
		}
		if err := record(ctx, tx, v, ws, entries, also); err != nil {
			return nil, err
		}
		return pg.All(ctx, tx, "find who stays opted out", pgx.RowTo[id.Contact], sqlRefused, ws, who, said.Declaration.Purposes)
	}
}

func entriesOf(said contacts.Said, wording id.Wording) ([]Entry, []id.Contact) {
	var entries []Entry
	var who []id.Contact
	for _, a := range said.People {
		who = append(who, a.Contact)
		for _, purpose := range said.Declaration.Purposes {
			entries = append(entries, Entry{Contact: a.Contact, RecipientKey: a.RecipientKey, Purpose: Purpose(purpose), Action: ActionOptIn,
				Method: said.Declaration.Method, Source: a.Source, Wording: wording, Evidence: said.Declaration.Evidence, Policy: said.Policy,
				OccurredAt: a.OccurredAt, Declared: a.Declared, Actor: said.Actor, Import: said.Import, ImportRow: a.Line})
		}
	}
	return entries, who
}

func scopedKeys(ctx context.Context, tx pgx.Tx, ws id.Workspace, who []id.Contact) (map[id.Contact][]string, error) {
	rows, err := tx.Query(ctx, sqlScopedKeys, ws, who)
	if err != nil {
		return nil, fmt.Errorf("read business-scoped ids: %w", err)
	}
	defer rows.Close()
	also := make(map[id.Contact][]string)
	for rows.Next() {
		var c id.Contact
		var key string
		if err := rows.Scan(&c, &key); err != nil {
			return nil, fmt.Errorf("read business-scoped ids: %w", err)
		}
		also[c] = append(also[c], "b:"+key)
	}
	return also, rows.Err()
}
