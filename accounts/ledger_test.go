package accounts_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/accounts/ledger"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

func (o *office) deed(ctx context.Context, n int) error {
	return o.pool.InWorkspace(ctx, o.tenant.Workspace, func(tx pgx.Tx) error {
		return accounts.Audit(ctx, tx, o.tenant.Actor, accounts.Deed{Action: "test.done", Subject: fmt.Sprint(n), Detail: map[string]any{"n": n, "text": "ثلاثة\n\"3\""}})
	})
}

func (o *office) seal(ctx context.Context) error {
	return o.pool.InEngine(ctx, func(tx pgx.Tx) error { return ledger.Seal(ctx, tx, "audit") })
}

func (o *office) verify(t *testing.T, ws id.Workspace) []ledger.Break {
	t.Helper()
	var breaks []ledger.Break
	fixture.In(t, o.pool, ws, func(tx pgx.Tx) (err error) {
		breaks, err = ledger.Verify(t.Context(), tx, ws, accounts.AuditLedger())
		return err
	})
	return breaks
}

// Writers run while the sealer does; when all is sealed, every row is in
// exactly one block and the chain holds.
func TestLedgerWithConcurrentWriters(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	other := fixture.Workspace(t, o.pool, o.vault)
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := o.deed(t.Context(), w*each+i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for sealing := true; sealing; {
		select {
		case <-done:
			sealing = false
		default:
		}
		if err := o.seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fixture.SealAll(t, o.pool)
	for _, ws := range []id.Workspace{o.tenant.Workspace, other.Workspace} {
		if breaks := o.verify(t, ws); len(breaks) > 0 {
			t.Errorf("an untouched ledger breaks: %+v", breaks)
		}
		var rows, sealed, blocks int
		const counts = `select (select count(*) from audit where workspace_id = $1),
			(select sum(rows) from ledger_block where workspace_id = $1), (select count(*) from ledger_block where workspace_id = $1)`
		fixture.In(t, o.pool, ws, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), counts, ws).Scan(&rows, &sealed, &blocks)
		})
		if rows != sealed || rows == 0 {
			t.Errorf("%d rows, %d sealed in %d blocks", rows, sealed, blocks)
		}
	}
}

func TestLedgerFindsWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sql, what string }{
		"altered":       {`update audit set subject = 'x' where subject = '3'`, "altered"},
		"detail":        {`update audit set detail = detail || '{"n":99}' where subject = '3'`, "altered"},
		"hash too":      {`update audit set subject = 'x', hash = sha256('x') where subject = '3'`, "altered"},
		"removed":       {`delete from audit where subject = '3'`, "missing"},
		"slipped in":    {`insert into audit (workspace_id, id, actor, action, subject, xid, hash) select workspace_id, gen_random_uuid(), actor, action, subject, xid, hash from audit where subject = '3'`, "missing"},
		"block removed": {`delete from ledger_block where number = 2`, "chain"},
		"block altered": {`update ledger_block set hash = sha256('x') where number = 1`, "chain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			for i := range 6 {
				if err := o.deed(t.Context(), i); err != nil {
					t.Fatal(err)
				}
				fixture.SealAll(t, o.pool)
			}
			if breaks := o.verify(t, o.tenant.Workspace); len(breaks) > 0 {
				t.Fatalf("before: %+v", breaks)
			}
			if _, err := pgtest.Owner(t, o.pool).Exec(t.Context(), c.sql); err != nil {
				t.Fatal(err)
			}
			found := false
			for _, b := range o.verify(t, o.tenant.Workspace) {
				found = found || b.What == c.what
			}
			if !found {
				t.Errorf("not found: %+v", o.verify(t, o.tenant.Workspace))
			}
		})
	}
}

func TestSealRefusesUnknown(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	err := o.pool.InEngine(t.Context(), func(tx pgx.Tx) error { return ledger.Seal(t.Context(), tx, "diary") })
	if err == nil {
		t.Error("an unknown ledger was sealed")
	}
}

func TestAuditCannotBeChanged(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, sql := range []string{`update audit set subject = 'x'`, `delete from audit`, `insert into ledger_block select * from ledger_block`} {
		err := o.pool.InWorkspace(t.Context(), o.tenant.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), sql)
			return err
		})
		if err == nil {
			t.Errorf("%s: the application may", sql)
		}
	}
}
