package messages

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Planned is one recipient of a run as the planner decided.
type Planned struct {
	Contact      id.Contact
	RecipientKey string     // p:+E.164 canonical, or b:business-scoped id
	Address      string     // what Meta is given
	Country      string     // of the address, ISO 3166-1 alpha-2; empty: not known
	Hash         []byte     // keyed hash of RecipientKey
	Parameters   []byte     // rendered and sealed; nil when suppressed
	Consent      id.Consent // that permits it; zero when none does
	Reason       string     // why suppressed; empty: ready

	// In a run that goes by everybody's own zone: theirs, and their hours.
	Zone      string
	NotBefore *time.Time
	Closes    *time.Time
}

// sqlPlan: a person already in the run (another spelling, another audience, a
// second planner) is left as it was: the run's uniqueness is the rule, and a
// planner that resumes after a kill meets its own rows here.
const sqlPlan = `
insert into message (workspace_id, run_id, ordinal, contact_id, recipient_key, recipient_hash,
    address, parameters, consent_id, state, reason, zone, not_before, feed_after, closes_at, country)
select $1, $2, p.ordinal, p.contact, p.key, p.hash, p.address, p.parameters,
    nullif(p.consent, '00000000-0000-0000-0000-000000000000'),
    case when p.reason = '' then 'ready' else 'suppressed' end,
    nullif(p.reason, ''), nullif(p.zone, ''), p.not_before, p.not_before, p.closes, p.country
from unnest($3::int[], $4::uuid[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::uuid[], $10::text[],
        $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[])
    as p(ordinal, contact, key, hash, address, parameters, consent, reason, zone, not_before, closes, country)
on conflict do nothing`

// Plan writes the rows of one chunk, ordinals rising from first, and returns
// how many were new. It belongs in the transaction that moves the run's plan
// cursor, so that no chunk is ever half there.
func Plan(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, first int32, rows []Planned) (int, error) {
	n := len(rows)
	ordinals, contacts := make([]int32, n), make([]id.Contact, n)
	keys, hashes, addresses := make([]string, n), make([][]byte, n), make([]string, n)
	parameters, consents, reasons := make([][]byte, n), make([][16]byte, n), make([]string, n)
	zones, notBefore, closes := make([]string, n), make([]*time.Time, n), make([]*time.Time, n)
	countries := make([]string, n)
	for i, r := range rows {
		countries[i] = r.Country
		ordinals[i], contacts[i] = first+int32(i), r.Contact
		keys[i], hashes[i], addresses[i] = r.RecipientKey, r.Hash, r.Address
		parameters[i], consents[i], reasons[i] = r.Parameters, r.Consent, r.Reason
		zones[i], notBefore[i], closes[i] = r.Zone, r.NotBefore, r.Closes
	}
	tag, err := tx.Exec(ctx, sqlPlan, ws, run, ordinals, contacts, keys, hashes, addresses, parameters, consents, reasons,
		zones, notBefore, closes, countries)
	if err != nil {
		return 0, fmt.Errorf("plan messages: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

// ParametersPlace binds sealed parameters to their row, so that no row's
// parameters can be opened in another.
func ParametersPlace(m id.Message) string {
	return "message.parameters/" + m.Run.String() + "/" + strconv.Itoa(int(m.Ordinal))
}
