package accounts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

// office is a database with one tenant and one member.
type office struct {
	pool   *pg.Pool
	vault  *accounts.Vault
	hasher *accounts.Hasher
	tenant fixture.Tenant
	user   id.User
	email  string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{pool: pgtest.New(t)}
	o.vault, o.hasher = fixture.Vault(t, o.pool), fixture.Hasher(t)
	o.tenant = fixture.Workspace(t, o.pool, o.vault)
	o.user, o.email = fixture.User(t, o.pool, o.hasher, o.tenant, accounts.Owner)
	return o
}

func (o *office) signIn(t *testing.T, email, password, address string) (accounts.Session, error) {
	t.Helper()
	return accounts.SignIn(t.Context(), o.pool, o.hasher, accounts.SignInRequest{Email: email, Password: password, Address: address})
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if !errs.Is(err, code) {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s, err := o.signIn(t, " "+o.email, fixture.Password, "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.signIn(t, o.email, fixture.Password, "192.0.2.7")
	if err != nil || again.Token == s.Token {
		t.Fatalf("the second session has the first one's token (%v)", err)
	}
	who, err := accounts.FindSession(t.Context(), o.pool, s.Token)
	if err != nil || who.User != o.user || who.Actor.Workspace != o.tenant.Workspace || who.Actor.Role != accounts.Owner || !who.Actor.Live {
		t.Fatalf("session: %+v, %v", who, err)
	}
	if err := accounts.SignOut(t.Context(), o.pool, who); err != nil {
		t.Fatal(err)
	}
	_, err = accounts.FindSession(t.Context(), o.pool, s.Token)
	wantCode(t, "after signing out", err, "auth.session")
	if _, err := accounts.FindSession(t.Context(), o.pool, again.Token); err != nil {
		t.Errorf("the other session ended too: %v", err)
	}
}

func TestSessionTimes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s, err := o.signIn(t, o.email, fixture.Password, "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	for at := 25 * time.Minute; at < 12*time.Hour; at += 25 * time.Minute {
		pgtest.MoveClock(t, o.pool, at)
		if _, err := accounts.FindSession(t.Context(), o.pool, s.Token); err != nil {
			t.Fatalf("in use, after %v: %v", at, err)
		}
	}
	pgtest.MoveClock(t, o.pool, 12*time.Hour+time.Second)
	_, err = accounts.FindSession(t.Context(), o.pool, s.Token)
	wantCode(t, "after twelve hours", err, "auth.session")

	s, err = o.signIn(t, o.email, fixture.Password, "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	pgtest.MoveClock(t, o.pool, 12*time.Hour+31*time.Minute+time.Second)
	_, err = accounts.FindSession(t.Context(), o.pool, s.Token)
	wantCode(t, "after 30 idle minutes", err, "auth.session")
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for name, email := range map[string]string{"known": o.email, "unknown": "nobody@example.com"} {
		began := time.Now()
		for i := range 10 {
			_, err := o.signIn(t, email, "wrong wrong wrong", fmt.Sprintf("192.0.2.%d", i))
			wantCode(t, fmt.Sprintf("%s, try %d", name, i+1), err, "auth.sign_in_failed")
		}
		_, err := o.signIn(t, email, fixture.Password, "198.51.100.1")
		wantCode(t, name+", try 11", err, "auth.too_many_tries")
		if e, ok := errs.As(err); !ok || e.RetryAfter < 14*time.Minute-time.Since(began) || e.RetryAfter > 15*time.Minute {
			t.Errorf("%s: retry after %v, want almost 15 minutes", name, e.RetryAfter)
		}
	}
	pgtest.MoveClock(t, o.pool, 15*time.Minute+time.Second)
	if _, err := o.signIn(t, o.email, fixture.Password, "192.0.2.1"); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

func TestTooManyTriesFromOneAddress(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const insert = `insert into sign_in_failure (subject) select 'n:192.0.2.9' from generate_series(1, 50)`
	if _, err := o.pool.App().Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	_, err := o.signIn(t, o.email, fixture.Password, "192.0.2.9")
	wantCode(t, "the address's 51st try", err, "auth.too_many_tries")
	if _, err := o.signIn(t, o.email, fixture.Password, "192.0.2.10"); err != nil {
		t.Errorf("another address: %v", err)
	}
}

// The least of several tries, taken in turn, is what the work itself costs; a
// busy machine only adds to it. Without the hash the ratio would be twenty.
func TestUnknownUserTakesAsLong(t *testing.T) {
	o := newOffice(t) // not parallel: it measures time
	least := map[string]time.Duration{o.email: time.Hour, "stranger@example.com": time.Hour}
	for i := range 9 {
		for email := range least {
			start := time.Now()
			_, err := o.signIn(t, email, "wrong wrong wrong", fmt.Sprintf("203.0.113.%d", i))
			least[email] = min(least[email], time.Since(start))
			wantCode(t, "wrong password", err, "auth.sign_in_failed")
		}
	}
	known, unknown := least[o.email], least["stranger@example.com"]
	if ratio := float64(known) / float64(unknown); ratio < 1.0/4 || ratio > 4 {
		t.Errorf("known %v, unknown %v: the time tells them apart", known, unknown)
	}
}

func TestDisabledUserIsOutAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	token := fixture.Session(t, o.pool, o.hasher, o.email)
	tenant := o.tenant
	tenant.Actor.ID = o.user.String()
	key := fixture.Key(t, o.pool, tenant, "reports:read")
	if err := accounts.DisableUser(t.Context(), o.pool, o.user); err != nil {
		t.Fatal(err)
	}
	_, err := accounts.FindSession(t.Context(), o.pool, token)
	wantCode(t, "session", err, "auth.session")
	_, err = accounts.FindKey(t.Context(), o.pool, key)
	wantCode(t, "key", err, "auth.key_revoked")
	_, err = o.signIn(t, o.email, fixture.Password, "192.0.2.1")
	wantCode(t, "signing in", err, "auth.sign_in_failed")
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	token, other := fixture.Session(t, o.pool, o.hasher, o.email), fixture.Session(t, o.pool, o.hasher, o.email)
	who, err := accounts.FindSession(t.Context(), o.pool, token)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, fresh string) error {
		return accounts.ChangePassword(t.Context(), o.pool, o.hasher, who, old, fresh)
	}
	wantCode(t, "wrong present one", change("not the one it is", "some other sentence"), "password.wrong")
	wantCode(t, "short", change(fixture.Password, "short"), "password.short")
	if err := change(fixture.Password, "some other sentence"); err != nil {
		t.Fatal(err)
	}
	for _, tok := range []string{token, other} {
		_, err := accounts.FindSession(t.Context(), o.pool, tok)
		wantCode(t, "a session after the change", err, "auth.session")
	}
	_, err = o.signIn(t, o.email, fixture.Password, "192.0.2.1")
	wantCode(t, "the old password", err, "auth.sign_in_failed")
	if _, err := o.signIn(t, o.email, "some other sentence", "192.0.2.1"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestUseWorkspace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	second, err := accounts.CreateWorkspace(t.Context(), o.pool, o.vault, accounts.NewWorkspaceRequest{Organisation: o.tenant.Organisation, Name: "Zweite"})
	if err != nil {
		t.Fatal(err)
	}
	who, err := accounts.FindSession(t.Context(), o.pool, fixture.Session(t, o.pool, o.hasher, o.email))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "not a member", accounts.UseWorkspace(t.Context(), o.pool, who, second), "ref.not_found")
	wantCode(t, "random", accounts.UseWorkspace(t.Context(), o.pool, who, id.New[id.Workspace]()), "ref.not_found")
	fixture.In(t, o.pool, second, func(tx pgx.Tx) error {
		return accounts.Join(t.Context(), tx, accounts.System(second, "test"), o.user, accounts.Viewer)
	})
	token := fixture.Session(t, o.pool, o.hasher, o.email)
	if who, err = accounts.FindSession(t.Context(), o.pool, token); err != nil || who.Actor.Workspace != o.tenant.Workspace {
		t.Fatalf("the first by name is used: %+v, %v", who.Actor, err)
	}
	if err := accounts.UseWorkspace(t.Context(), o.pool, who, second); err != nil {
		t.Fatal(err)
	}
	if who, err = accounts.FindSession(t.Context(), o.pool, token); err != nil || who.Actor.Workspace != second || who.Actor.Role != accounts.Viewer || who.Actor.Live {
		t.Errorf("after the move: %+v, %v", who.Actor, err)
	}
}

func TestOperator(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, email := fixture.User(t, o.pool, o.hasher, o.tenant, "")
	if err := accounts.SetOperator(t.Context(), o.pool, email, true); err != nil {
		t.Fatal(err)
	}
	who, err := accounts.FindSession(t.Context(), o.pool, fixture.Session(t, o.pool, o.hasher, email))
	if err != nil || !who.Operator || who.Actor.Kind != accounts.KindOperator || !who.Actor.Workspace.IsZero() {
		t.Fatalf("operator: %+v, %v", who, err)
	}
	wantCode(t, "content", accounts.Allow(who.Actor, accounts.ReadCampaigns), "auth.operator")
	wantCode(t, "unknown address", accounts.SetOperator(t.Context(), o.pool, "no@example.com", true), "not_found")
}
