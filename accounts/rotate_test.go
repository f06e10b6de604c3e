package accounts_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
	"bareed/internal/seal"
)

func TestRewrap(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	old := append([]byte{7}, bytes.Repeat([]byte{42}, seal.KeySize-1)...) // fixture.Ring's
	fresh := append([]byte{9}, bytes.Repeat([]byte{43}, seal.KeySize-1)...)
	box, err := o.vault.Box(t.Context(), o.tenant.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := box.Seal([]byte("token"), "p")
	open := func(keys map[uint16][]byte) (*accounts.Vault, error) {
		ring, err := seal.NewRing(keys)
		if err != nil {
			t.Fatal(err)
		}
		return accounts.OpenVault(t.Context(), o.pool, ring)
	}
	if _, err := open(map[uint16][]byte{1: fresh}); err == nil {
		t.Fatal("a wrong master key opened the vault")
	}
	both, err := open(map[uint16][]byte{1: old, 2: fresh})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{3, 0} { // two system keys and one workspace
		if n, err := both.Rewrap(t.Context()); err != nil || n != want {
			t.Fatalf("rewrapped %d, %v, want %d", n, err, want)
		}
	}
	only, err := open(map[uint16][]byte{2: fresh})
	if err != nil {
		t.Fatal(err)
	}
	if box, err = only.Box(t.Context(), o.tenant.Workspace); err != nil {
		t.Fatal(err)
	}
	if got, err := box.Open(sealed, "p"); err != nil || string(got) != "token" {
		t.Errorf("after the rotation: %q, %v", got, err)
	}
	if !bytes.Equal(only.RecipientHash("p:+1"), o.vault.RecipientHash("p:+1")) {
		t.Error("recipients hash differently after the rotation")
	}
}

func TestHousekeep(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, err := o.signIn(t, o.email, "wrong wrong wrong", "192.0.2.1")
	wantCode(t, "wrong", err, "auth.sign_in_failed")
	fixture.In(t, o.pool, o.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into idempotency (workspace_id, key, route, fingerprint) values ($1, 'k', 'r', 'x')`, o.tenant.Workspace)
		return err
	})
	count := func() (n int) {
		t.Helper()
		fixture.In(t, o.pool, o.tenant.Workspace, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `select (select count(*) from idempotency) + (select count(*) from sign_in_failure)`).Scan(&n)
		})
		return n
	}
	if err := accounts.Housekeep(t.Context(), o.pool); err != nil || count() != 3 {
		t.Fatalf("%d rows are left, %v, want 3", count(), err)
	}
	pgtest.MoveClock(t, o.pool, 8*24*time.Hour)
	if err := accounts.Housekeep(t.Context(), o.pool); err != nil || count() != 0 {
		t.Errorf("%d rows are left, %v, want 0", count(), err)
	}
}
