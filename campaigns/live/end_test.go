package live_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/live"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

// TestCredentialEnds: those whose credential ends, moves or loses its
// permission are let go within ten seconds, and nobody else.
func TestCredentialEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hasher := fixture.Hasher(t)
	tenant := fixture.Tenant{Organisation: w.Organisation, Workspace: w.Workspace, Actor: w.Actor}
	session := func() accounts.Identity {
		_, email := fixture.User(t, w.Pool, hasher, tenant, accounts.Viewer)
		who, err := accounts.FindSession(t.Context(), w.Pool, fixture.Session(t, w.Pool, hasher, email))
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	key, err := accounts.FindKey(t.Context(), w.Pool, fixture.Key(t, w.Pool, tenant, "campaigns:read"))
	if err != nil {
		t.Fatal(err)
	}
	out, removed, stays := session(), session(), session()
	for name, c := range map[string]struct {
		who  accounts.Identity
		act  func() error
		code string
	}{
		"signed out": {out, func() error { return accounts.SignOut(t.Context(), w.Pool, out) }, "auth.session"},
		"no longer a member": {removed, func() error {
			return w.Pool.InWorkspace(t.Context(), w.Workspace, func(tx pgx.Tx) error {
				return accounts.RemoveMember(t.Context(), tx, w.Actor, removed.User)
			})
		}, "auth.session"},
		"key revoked": {key, func() error {
			return w.Pool.InWorkspace(t.Context(), w.Workspace, func(tx pgx.Tx) error {
				return accounts.RevokeKey(t.Context(), tx, w.Actor, key.Key)
			})
		}, "auth.key_revoked"},
	} {
		v, err := w.hub.Watch(t.Context(), c.who, w.campaign, 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		other, err := w.hub.Watch(t.Context(), stays, w.campaign, 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if u := next(t, v); (u.Picture != nil) != (name != "key revoked") {
			t.Errorf("%s: figures go with reports.read: %+v", name, u)
		}
		next(t, other)
		if err := c.act(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w.time.pass(10 * time.Second)
		if err := ending(t, v); !errs.Is(err, c.code) {
			t.Errorf("%s: ended with %v", name, err)
		}
		w.happen(t, 1)
		w.time.pass(time.Second)
		if u := next(t, other); len(u.Events) != 1 {
			t.Errorf("%s: the other got %+v", name, u)
		}
		v.Close()
		other.Close()
	}
}

// TestWholeWorkspaceEnds: everybody goes when their workspace is suspended, and
// a session that moves on takes its streams along.
func TestWholeWorkspaceEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hasher := fixture.Hasher(t)
	tenant := fixture.Tenant{Organisation: w.Organisation, Workspace: w.Workspace, Actor: w.Actor}
	user, email := fixture.User(t, w.Pool, hasher, tenant, accounts.Viewer)
	second, err := accounts.CreateWorkspace(t.Context(), w.Pool, w.Vault, accounts.NewWorkspaceRequest{Organisation: w.Organisation, Name: "Second", Live: true})
	if err != nil {
		t.Fatal(err)
	}
	fixture.In(t, w.Pool, second, func(tx pgx.Tx) error {
		return accounts.Join(t.Context(), tx, accounts.System(second, "test"), user, accounts.Viewer)
	})
	var viewers []*live.Viewer
	var who []accounts.Identity
	for range 2 {
		one, err := accounts.FindSession(t.Context(), w.Pool, fixture.Session(t, w.Pool, hasher, email))
		if err == nil && one.Actor.Workspace != w.Workspace {
			err = accounts.UseWorkspace(t.Context(), w.Pool, one, w.Workspace)
			one.Actor.Workspace, one.Actor.Role = w.Workspace, accounts.Viewer
		}
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.hub.Watch(t.Context(), one, w.campaign, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(v.Close)
		next(t, v)
		viewers, who = append(viewers, v), append(who, one)
	}
	if err := accounts.UseWorkspace(t.Context(), w.Pool, who[0], second); err != nil {
		t.Fatal(err)
	}
	w.time.pass(10 * time.Second)
	if err := ending(t, viewers[0]); !errs.Is(err, "auth.session") {
		t.Errorf("moved on: ended with %v", err)
	}
	w.In(t, func(tx pgx.Tx) error { return accounts.SetSuspended(t.Context(), tx, w.Actor, true) })
	w.time.pass(10 * time.Second)
	if err := ending(t, viewers[1]); !errs.Is(err, "workspace.suspended") {
		t.Errorf("suspended: ended with %v", err)
	}
}

// TestOutage: a database that fails for a moment ends nothing; one that stays
// away ends the watching.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.watch(t, 0)
	next(t, v)
	owner := pgtest.Owner(t, w.Pool)
	change := func(sql string) {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	change("revoke select on campaign_event from bareed_app")
	w.time.pass(time.Second)
	w.time.pass(time.Second)
	w.time.pass(time.Second)
	w.time.pass(0)
	change("grant select on campaign_event to bareed_app")
	w.happen(t, 1)
	w.time.pass(time.Second)
	if u := next(t, v); len(u.Events) != 1 {
		t.Fatalf("after the outage: %+v", u)
	}
	change("revoke select on campaign_event from bareed_app")
	for range 6 {
		w.time.pass(time.Second)
	}
	err := ending(t, v)
	if _, ok := errs.As(err); err == nil || ok || errors.Is(err, live.ErrOver) {
		t.Errorf("ended with %v", err)
	}
}
