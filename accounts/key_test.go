package accounts_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

func TestKey(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	secret := fixture.Key(t, o.pool, o.tenant, "campaigns:read", "campaigns:read", "contacts:*")
	if !strings.HasPrefix(secret, "bk_live_") || len(secret) != 51 {
		t.Errorf("the key has the wrong form (%d characters)", len(secret))
	}
	who, err := accounts.FindKey(t.Context(), o.pool, secret)
	if err != nil || who.Actor.Workspace != o.tenant.Workspace || !who.Actor.Live || who.Actor.ID != who.Key.String() {
		t.Fatalf("find: %+v, %v", who, err)
	}
	if !slices.Equal(who.Actor.Scopes, []string{"campaigns:read", "contacts:*"}) {
		t.Errorf("scopes %v", who.Actor.Scopes)
	}
	for name, c := range map[string]struct {
		action accounts.Action
		code   string
	}{
		"scope":       {accounts.ReadCampaigns, ""},
		"wildcard":    {accounts.WriteContacts, ""},
		"other scope": {accounts.LaunchCampaigns, "auth.scope"},
		"no keys":     {accounts.WriteKeys, "auth.not_by_key"},
		"any key":     {accounts.ReadWorkspace, ""},
		"no action":   {"nothing", "auth.role"},
	} {
		if err := accounts.Allow(who.Actor, c.action); c.code == "" && err != nil || c.code != "" && !errs.Is(err, c.code) {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
	flipped := []byte(secret)
	flipped[20] ^= 1
	for name, bad := range map[string]string{"empty": "", "unknown": string(flipped), "short": secret[:50], "long": secret + "A",
		"prefix": "bk_prod_" + secret[8:], "spaces": secret[:50] + " "} {
		_, err := accounts.FindKey(t.Context(), o.pool, bad)
		wantCode(t, name, err, "auth.key")
	}
}

func TestKeyEnds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	make := func(expires *time.Time) (accounts.Key, string, error) {
		var key accounts.Key
		var secret string
		err := o.pool.InWorkspace(t.Context(), o.tenant.Workspace, func(tx pgx.Tx) (err error) {
			key, secret, err = accounts.NewKey(t.Context(), tx, o.tenant.Actor, accounts.KeyRequest{Name: "x", Scopes: []string{"reports:read"}, ExpiresAt: expires})
			return err
		})
		return key, secret, err
	}
	past, soon := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	if _, _, err := make(&past); !errs.Is(err, "invalid") {
		t.Errorf("a key that has expired already: %v", err)
	}
	_, expiring, err := make(&soon)
	if err != nil {
		t.Fatal(err)
	}
	key, revoked, err := make(nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fixture.In(t, o.pool, o.tenant.Workspace, func(tx pgx.Tx) error {
			return accounts.RevokeKey(t.Context(), tx, o.tenant.Actor, key.ID)
		})
	}
	_, err = accounts.FindKey(t.Context(), o.pool, revoked)
	wantCode(t, "revoked", err, "auth.key_revoked")
	pgtest.MoveClock(t, o.pool, 61*time.Minute)
	_, err = accounts.FindKey(t.Context(), o.pool, expiring)
	wantCode(t, "expired", err, "auth.key_revoked")
	other := fixture.Workspace(t, o.pool, o.vault)
	err = o.pool.InWorkspace(t.Context(), other.Workspace, func(tx pgx.Tx) error {
		return accounts.RevokeKey(t.Context(), tx, other.Actor, key.ID)
	})
	wantCode(t, "another workspace's key", err, "not_found")
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, code := range map[string]string{
		"seven77":                          "password.short",
		"elevenchars":                      "password.short",
		"twelve chars":                     "",
		strings.Repeat("é ab", 256):        "password.common", // one piece over and over
		"x" + strings.Repeat("long ", 205): "password.long",
		strings.Repeat("ab cdefg", 128):    "",
		"password1234":                     "password.common",
		"PASSWORD1234":                     "password.common",
		"aaaaaaaaaaaaaaa":                  "password.common",
		"abcdefghijklmnop":                 "password.common",
		"AcmeRetail2026!":                  "password.company",
		"acme retail 2026":                 "password.company",
		"maryam.saleh99":                   "password.company",
		"acme but also a camel":            "",
		"جمل أزرق في السوق":                "",
		"🐪🌙 two camels 🐫":                  "",
	} {
		err := accounts.CheckPassword(password, "Acme Retail", "Maryam Saleh", "maryam.saleh@acme.example")
		if code == "" && err != nil || code != "" && (err == nil || err.Code != code) {
			t.Errorf("%.30q: %v, want %q", password, err, code)
		}
	}
}

func TestHasher(t *testing.T) {
	t.Parallel()
	h, err := accounts.NewHasher(accounts.OWASP)
	if err != nil {
		t.Fatal(err)
	}
	phc, err := h.Hash(t.Context(), "a sentence to hash")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash: %s, %v", phc, err)
	}
	for name, c := range map[string]struct {
		phc, password string
		ok, weak      bool
	}{
		"right":   {phc, "a sentence to hash", true, false},
		"wrong":   {phc, "a sentence to hush", false, false},
		"unknown": {"", "nobody's password", false, false},
		"weaker":  {strings.Replace(phc, "t=2", "t=1", 1), "a sentence to hash", false, true},
	} {
		ok, weak, err := h.Verify(t.Context(), c.phc, c.password)
		if err != nil || ok != c.ok || weak != c.weak {
			t.Errorf("%s: %v, %v, %v", name, ok, weak, err)
		}
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=1,t=1,p=1$YQ$YQ", "$argon2id$v=19$m=1,t=0,p=1$YQ$YQ", "$argon2id$v=19$m=99999999,t=1,p=1$YWFhYQ$YWFhYQ"} {
		if _, _, err := h.Verify(t.Context(), bad, "x"); err == nil {
			t.Errorf("%q was taken for a hash", bad)
		}
	}
}

func TestVault(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	box, err := o.vault.Box(t.Context(), o.tenant.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := box.Seal([]byte("token"), "waba.token/x")
	again := fixture.Vault(t, o.pool)
	if !bytes.Equal(o.vault.RecipientHash("p:+966500000000"), again.RecipientHash("p:+966500000000")) {
		t.Error("a second process hashes recipients differently")
	}
	if len(o.vault.RecipientHash("x")) != 16 || o.vault.RecipientKeyVersion() != 1 {
		t.Error("hash length or version")
	}
	if bytes.Equal(o.vault.RecipientHash("p:+966500000000"), o.vault.RecipientHash("p:+966500000001")) {
		t.Error("two recipients have one hash")
	}
	proof := o.vault.CallbackMAC("run.1")
	if len(proof) != 16 || !again.CallbackValid("run.1", proof) || again.CallbackValid("run.2", proof) || again.CallbackValid("run.1", "zz") {
		t.Errorf("callback proof %q", proof)
	}
	box2, err := again.Box(t.Context(), o.tenant.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := box2.Open(sealed, "waba.token/x"); err != nil || string(got) != "token" {
		t.Errorf("open in a second process: %q, %v", got, err)
	}
	if _, err := o.vault.Box(t.Context(), id.New[id.Workspace]()); err == nil {
		t.Error("a workspace that does not exist has a key")
	}
	other := fixture.Workspace(t, o.pool, o.vault)
	otherBox, _ := o.vault.Box(t.Context(), other.Workspace)
	if _, err := otherBox.Open(sealed, "waba.token/x"); err == nil {
		t.Error("another workspace's key opened the value")
	}
}
