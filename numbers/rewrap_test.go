package numbers_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/fixture"
	"bareed/internal/seal"
	"bareed/numbers"
)

// ring has the tests' master key as version 1 if old, and a new one as version 2.
func ring(t *testing.T, old bool) *seal.Ring {
	t.Helper()
	keys := map[uint16][]byte{2: append([]byte{9}, bytes.Repeat([]byte{43}, seal.KeySize-1)...)}
	if old {
		keys[1] = append([]byte{7}, bytes.Repeat([]byte{42}, seal.KeySize-1)...) // fixture.Ring's
	}
	r, err := seal.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// turned is a desk whose app has an old secret beside the present one and whose
// installation has just got its second master key.
func turned(t *testing.T) (d *desk, c numbers.Connection, p numbers.Probed) {
	t.Helper()
	d = newDesk(t)
	c, p = d.Connection, d.Probed()
	c.AppSecret = "the-new-secret"
	c.PhoneNumberID, p.Number.ID = c.PhoneNumberID+"2", c.PhoneNumberID+"2"
	if _, err := d.connect(t, d.Tenant, c, p); err != nil {
		t.Fatal(err)
	}
	c.PhoneNumberID, p.Number.ID = c.PhoneNumberID+"3", c.PhoneNumberID+"3"
	both, err := accounts.OpenVault(t.Context(), d.pool, ring(t, true))
	if err != nil {
		t.Fatal(err)
	}
	d.vault = both
	return d, c, p
}

// opensWithout reads the app with the new master key alone.
func (d *desk) opensWithout(t *testing.T) {
	t.Helper()
	app, ok, err := numbers.FindApp(t.Context(), d.pool.Engine(), ring(t, false).Box(), d.Connection.AppID)
	if err != nil || !ok || !slices.Equal(app.Secrets, []string{"the-new-secret", fixture.AppSecret}) || app.VerifyToken != d.Connection.VerifyToken {
		t.Errorf("without the old master key: %v, %v", ok, err)
	}
}

func TestConnectSealsAnUnchangedSecretAnew(t *testing.T) {
	t.Parallel()
	d, c, p := turned(t)
	if _, err := d.connect(t, d.Tenant, c, p); err != nil {
		t.Fatal(err)
	}
	d.opensWithout(t)
}

func TestRewrapOfAppsAndStrays(t *testing.T) {
	t.Parallel()
	d, _, _ := turned(t)
	d.in(t, func(tx pgx.Tx) error {
		return numbers.KeepStray(t.Context(), tx, fixture.Ring(t).Box(), d.Number.App, numbers.StrayUnparseable, []byte("{"))
	})
	for _, want := range []int{2, 0} { // an app and a stray event
		if n, err := numbers.Rewrap(t.Context(), d.pool, d.vault.System()); err != nil || n != want {
			t.Fatalf("sealed %d anew, %v, want %d", n, err, want)
		}
	}
	d.opensWithout(t)
	var id string
	var body []byte
	if err := d.pool.Engine().QueryRow(t.Context(), `select id::text, body from stray_event`).Scan(&id, &body); err != nil {
		t.Fatal(err)
	}
	if plain, err := ring(t, false).Box().Open(body, "stray_event.body/"+id); err != nil || string(plain) != "{" {
		t.Errorf("the stray event: %q, %v", plain, err)
	}
}
