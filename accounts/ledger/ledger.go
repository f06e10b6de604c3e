// Package ledger owns the hash chain over the append-only tables: what committed
// since the last time becomes a block per workspace, and whoever doubts computes
// the chain again.
//
// The scheduler seals; accounts and consents say which tables theirs are. It
// must not know what stands in a row.
package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Ledger describes an append-only table under the hash chain to those who
// check it. RowHash is the SQL expression that gives a row's hash again.
type Ledger struct {
	Name    string // as in ledger_block.ledger
	RowHash string
}

const sqlLedgerMark = `
	select sealed::text, pg_snapshot_xmin(pg_current_snapshot())::text
	from ledger_mark
	where ledger = $1
	for update`

// A block begins where the workspace's last one ended, so that blocks leave no
// gap a row could be slipped into.
const (
	sqlSealAudit   = sealFrom + `audit` + sealUpTo
	sqlSealConsent = sealFrom + `consent` + sealUpTo

	sealFrom = `
	insert into ledger_block (workspace_id, ledger, number, from_xid, to_xid, rows, hash)
	select r.workspace_id, $3, coalesce(p.number, 0) + 1, coalesce(p.to_xid, '0'), $2::text::xid8, r.rows,
		sha256(coalesce(p.hash, ''::bytea) || r.hashes)
	from (
		select workspace_id, count(*) as rows, string_agg(hash, ''::bytea order by xid, id) as hashes
		from `

	sealUpTo = `
		where xid >= $1::text::xid8
		  and xid < $2::text::xid8
		group by workspace_id
	) r
	left join lateral (
		select number, to_xid, hash
		from ledger_block b
		where b.workspace_id = r.workspace_id
		  and b.ledger = $3
		order by number desc
		limit 1
	) p on true`
)

const sqlLedgerAdvance = `
	update ledger_mark
	set sealed = $2::text::xid8
	where ledger = $1`

// Seal adds to the chain of one ledger ("consent", "audit") what
// committed since the last call, one block per workspace with something new.
// tx is the engine's, READ COMMITTED: the horizon is taken first, every
// transaction below it has ended, and the statement after sees all they wrote.
func Seal(ctx context.Context, tx pgx.Tx, ledger string) error {
	sqlSeal, ok := map[string]string{"audit": sqlSealAudit, "consent": sqlSealConsent}[ledger]
	if !ok {
		return fmt.Errorf("seal the ledger %q: there is no such ledger", ledger)
	}
	var sealed, horizon string
	if err := tx.QueryRow(ctx, sqlLedgerMark, ledger).Scan(&sealed, &horizon); err != nil {
		return fmt.Errorf("read the mark of the %s ledger: %w", ledger, err)
	}
	if sealed == horizon {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlSeal, sealed, horizon, ledger); err != nil {
		return fmt.Errorf("seal the %s ledger: %w", ledger, err)
	}
	if _, err := tx.Exec(ctx, sqlLedgerAdvance, ledger, horizon); err != nil {
		return fmt.Errorf("advance the mark of the %s ledger: %w", ledger, err)
	}
	return nil
}

// Break is a place where a ledger is not what it was when it was sealed.
type Break struct {
	Block int64  // number of the block; 0 for a row outside every block
	Row   string // plain UUID of an altered row, or empty
	What  string // altered, missing, chain
}

const verifyBlocks = `
	select b.number, b.hash = sha256(coalesce(lag(b.hash) over w, ''::bytea) || coalesce(r.hashes, ''::bytea)),
		b.rows = coalesce(r.rows, 0),
		b.from_xid = coalesce(lag(b.to_xid) over w, '0') and b.number = coalesce(lag(b.number) over w, 0) + 1
	from ledger_block b
	left join lateral (
		select count(*) as rows, string_agg(hash, ''::bytea order by xid, id) as hashes
		from %s
		where workspace_id = b.workspace_id
		  and xid >= b.from_xid
		  and xid < b.to_xid
	) r on true
	where b.workspace_id = $1
	  and b.ledger = $2
	window w as (order by b.number)
	order by b.number`

const verifyRows = `
	select id::text
	from %s
	where workspace_id = $1
	  and hash <> %s
	order by id
	limit 100`

// Verify recomputes a workspace's chain, rows first, and returns where it
// breaks; nothing means that no sealed row was changed, added or removed.
func Verify(ctx context.Context, tx pgx.Tx, ws id.Workspace, l Ledger) ([]Break, error) {
	table := pgx.Identifier{l.Name}.Sanitize()
	rows, err := tx.Query(ctx, fmt.Sprintf(verifyRows, table, l.RowHash), ws)
	if err != nil {
		return nil, fmt.Errorf("verify the rows of the %s ledger: %w", l.Name, err)
	}
	breaks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Break, error) {
		b := Break{What: "altered"}
		return b, row.Scan(&b.Row)
	})
	if err != nil {
		return nil, fmt.Errorf("verify the rows of the %s ledger: %w", l.Name, err)
	}
	rows, err = tx.Query(ctx, fmt.Sprintf(verifyBlocks, table), ws, l.Name)
	if err != nil {
		return nil, fmt.Errorf("verify the chain of the %s ledger: %w", l.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var hash, count, order bool
		if err := rows.Scan(&number, &hash, &count, &order); err != nil {
			return nil, fmt.Errorf("verify the chain of the %s ledger: %w", l.Name, err)
		}
		switch {
		case !count:
			breaks = append(breaks, Break{Block: number, What: "missing"})
		case !hash || !order:
			breaks = append(breaks, Break{Block: number, What: "chain"})
		}
	}
	return breaks, rows.Err()
}
