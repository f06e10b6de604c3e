package consents

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Line is one entry of a contact's ledger as it is shown.
type Line struct {
	ID         id.Consent `json:"id"`
	Purpose    Purpose    `json:"purpose"`
	Action     string     `json:"action" enum:"opt_in,opt_out"`
	Method     string     `json:"method"`
	Source     string     `json:"source"`
	Wording    *string    `json:"wording" doc:"The text agreed to"`
	Business   *string    `json:"business_name"`
	Evidence   string     `json:"evidence"`
	Policy     string     `json:"policy" enum:"strict,general"`
	OccurredAt time.Time  `json:"occurred_at"`
	RecordedAt time.Time  `json:"recorded_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Declared   bool       `json:"declared" doc:"Without a day of this person's own; occurred_at is what was given for the file, or when it was uploaded"`
	Actor      string     `json:"actor"`
	Import     id.Import  `json:"import"`
	ImportRow  *int64     `json:"import_row" doc:"Line of the file it was read from; the header is line 1"`
}

const sqlLines = `
	select k.id, k.purpose, k.action, k.method, k.source, w.text, w.business_name, k.evidence, k.policy, k.occurred_at, k.recorded_at,
		k.expires_at, k.declared, k.actor, k.import_id, k.import_row
	from consent k
	left join wording w on w.workspace_id = k.workspace_id and w.id = k.wording_id
	where k.workspace_id = $1`

const sqlHistory = sqlLines + `
	  and k.contact_id = $2
	  and ($3::uuid is null or k.id < $3)
	order by k.id desc
	limit $4`

// History returns a contact's entries in the order of recording, newest first,
// those before an id when it is given.
func History(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact, before id.Consent, limit int) ([]Line, error) {
	return pg.All(ctx, tx, "read the consent history", pgx.RowToStructByPos[Line], sqlHistory, ws, contact, before, limit)
}

const sqlEntry = sqlLines + `
	  and k.id = $2`

// Get reads one entry; not_found for any other.
func Get(ctx context.Context, tx pgx.Tx, ws id.Workspace, entry id.Consent) (Line, error) {
	return pg.One(ctx, tx, "read a consent entry", pgx.RowToStructByPos[Line], sqlEntry, ws, entry)
}

// Permission says whether a contact may be messaged for a purpose now, and
// since when that is so. A purpose nobody spoke about has no row.
type Permission struct {
	Purpose   Purpose    `json:"purpose"`
	Granted   bool       `json:"granted"`
	Since     time.Time  `json:"since"`
	ExpiresAt *time.Time `json:"expires_at"`
	Consent   id.Consent `json:"consent" doc:"The entry that decided"`
}

const sqlPermissions = `
	select purpose, granted and (expires_at is null or expires_at > bareed_now()), since, expires_at, consent_id
	from permission
	where workspace_id = $1
	  and contact_id = $2
	order by purpose`

// Permissions returns what a contact's ledger comes to.
func Permissions(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact) ([]Permission, error) {
	return pg.All(ctx, tx, "read the permissions", pgx.RowToStructByPos[Permission], sqlPermissions, ws, contact)
}
