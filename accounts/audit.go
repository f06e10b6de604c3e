package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts/ledger"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Deed is what was done, for the audit. Detail is ids and settings before and
// after as JSON; never personal data, never a secret.
type Deed struct {
	Action  string // noun.done: campaign.launched
	Subject string // cmp_…
	Detail  any
}

// The hash of an audit row: every column but xid, as one JSON array.
const sqlAuditHash = `sha256(convert_to(jsonb_build_array(
	workspace_id, id, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
	actor, action, subject, detail, address, request_id)::text, 'UTF8'))`

// AuditLedger describes the audit to ledger.Verify.
func AuditLedger() ledger.Ledger { return ledger.Ledger{Name: "audit", RowHash: sqlAuditHash} }

const sqlAudit = `
	insert into audit (workspace_id, id, at, actor, action, subject, detail, address, request_id, hash)
	select workspace_id, id, at, actor, action, subject, detail, address, request_id, ` + sqlAuditHash + `
	from (select $1::uuid as workspace_id, $2::uuid as id, bareed_now() as at, $3::text as actor, $4::text as action,
		$5::text as subject, $6::jsonb as detail, $7::text as address, $8::text as request_id) deed`

// Audit records the deed in tx, the transaction of the deed itself, which must
// be in the actor's workspace.
func Audit(ctx context.Context, tx pgx.Tx, a Actor, d Deed) error {
	detail := []byte("{}")
	if d.Detail != nil {
		var err error
		if detail, err = json.Marshal(d.Detail); err != nil {
			return fmt.Errorf("write the audit of %s: %w", d.Action, err)
		}
	}
	_, err := tx.Exec(ctx, sqlAudit, a.Workspace, id.New[id.Audit](), a.String(), d.Action, d.Subject, detail, a.Address, a.RequestID)
	if err != nil {
		return fmt.Errorf("write the audit of %s: %w", d.Action, err)
	}
	return nil
}

// AuditEntry is one row of the audit as it is listed.
type AuditEntry struct {
	ID        id.Audit        `json:"id"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor"`
	Action    string          `json:"action"`
	Subject   string          `json:"subject"`
	Detail    json.RawMessage `json:"detail"`
	Address   string          `json:"address"`
	RequestID string          `json:"request_id"`
}

const sqlAuditList = `
	select id, at, actor, action, subject, detail, address, request_id
	from audit
	where workspace_id = $1
	  and ($2::uuid is null or id < $2)
	order by id desc
	limit $3`

// ListAudit returns entries newest first, those before an id when it is given.
func ListAudit(ctx context.Context, tx pgx.Tx, ws id.Workspace, before id.Audit, limit int) ([]AuditEntry, error) {
	return pg.All(ctx, tx, "list the audit", func(row pgx.CollectableRow) (e AuditEntry, err error) {
		err = row.Scan(&e.ID, &e.At, &e.Actor, &e.Action, &e.Subject, &e.Detail, &e.Address, &e.RequestID)
		return e, err
	}, sqlAuditList, ws, before, limit)
}
