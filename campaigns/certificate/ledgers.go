package certificate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// ledgers ties the certificate to the two sealed ledgers of the workspace.
type ledgers struct {
	Audit   auditProof  `json:"audit"`
	Consent consentHead `json:"consent"`
}

// auditProof is every deed on the campaign that the audit holds, with the
// blocks of the chain that seal them. A block is there with the hashes of all
// its rows, so that its own hash can be computed again by anybody.
type auditProof struct {
	Blocks  []block `json:"blocks"`
	Entries []entry `json:"entries"`
}

type entry struct {
	Action string    `json:"action"`
	At     time.Time `json:"at"`
	Block  int64     `json:"block"` // 0: not sealed yet when the certificate was written
	Hash   string    `json:"hash"`
	ID     string    `json:"id"`
}

type block struct {
	Hash     string   `json:"hash"`
	Number   int64    `json:"number"`
	Previous string   `json:"previous"` // empty for the first
	Rows     []string `json:"rows"`     // hashes, in the chain's order
}

// consentHead is the newest block of the consent ledger: what every consent
// entry before it is sealed under.
type consentHead struct {
	Hash   string `json:"hash"`
	Number int64  `json:"number"`
}

const sqlEntries = `
select a.action, a.at, coalesce(b.number, 0), encode(a.hash, 'hex'), a.id
from audit a
left join lateral (
    select b.number
    from ledger_block b
    where b.workspace_id = a.workspace_id
      and b.ledger = 'audit'
      and b.from_xid <= a.xid
      and b.to_xid > a.xid
    offset 0) b on true
where a.workspace_id = $1
  and a.subject = $2
order by a.id`

const sqlBlocks = `
select b.number, encode(b.hash, 'hex'), coalesce((
        select encode(p.hash, 'hex')
        from ledger_block p
        where p.workspace_id = b.workspace_id
          and p.ledger = b.ledger
          and p.number = b.number - 1), ''),
    array(
        select encode(a.hash, 'hex')
        from audit a
        where a.workspace_id = b.workspace_id
          and a.xid >= b.from_xid
          and a.xid < b.to_xid
        order by a.xid, a.id)
from ledger_block b
where b.workspace_id = $1
  and b.ledger = 'audit'
  and b.number = any ($2)
order by b.number`

const sqlConsentHead = `
select encode(b.hash, 'hex'), b.number
from ledger_block b
where b.workspace_id = $1
  and b.ledger = 'consent'
order by b.number desc
limit 1`

func readLedgers(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) (ledgers, error) {
	l := ledgers{Audit: auditProof{Blocks: []block{}, Entries: []entry{}}}
	rows, err := tx.Query(ctx, sqlEntries, ws, campaign.String())
	if err != nil {
		return l, fmt.Errorf("read the audit of the campaign: %w", err)
	}
	numbers := []int64{}
	l.Audit.Entries, err = pgx.AppendRows(l.Audit.Entries, rows, func(row pgx.CollectableRow) (entry, error) {
		var e entry
		var key id.Audit
		err := row.Scan(&e.Action, &e.At, &e.Block, &e.Hash, &key)
		e.ID, e.At = key.String(), e.At.UTC()
		if e.Block > 0 {
			numbers = append(numbers, e.Block)
		}
		return e, err
	})
	if err != nil {
		return l, fmt.Errorf("read the audit of the campaign: %w", err)
	}
	if rows, err = tx.Query(ctx, sqlBlocks, ws, numbers); err != nil {
		return l, fmt.Errorf("read the sealed blocks: %w", err)
	}
	l.Audit.Blocks, err = pgx.AppendRows(l.Audit.Blocks, rows, func(row pgx.CollectableRow) (block, error) {
		var b block
		err := row.Scan(&b.Number, &b.Hash, &b.Previous, &b.Rows)
		return b, err
	})
	if err != nil {
		return l, fmt.Errorf("read the sealed blocks: %w", err)
	}
	err = tx.QueryRow(ctx, sqlConsentHead, ws).Scan(&l.Consent.Hash, &l.Consent.Number)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return l, fmt.Errorf("read the head of the consent ledger: %w", err)
	}
	return l, nil
}
