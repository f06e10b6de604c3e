package accounts_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

func (o *office) in(t *testing.T, fn func(tx pgx.Tx) error) error {
	t.Helper()
	return o.pool.InWorkspace(t.Context(), o.tenant.Workspace, fn)
}

func TestMembers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	owner, admin := o.tenant.Actor, o.tenant.Actor
	admin.Role = accounts.Admin
	add := func(a accounts.Actor, email, password string, role accounts.Role) (m accounts.Member, err error) {
		err = o.in(t, func(tx pgx.Tx) (err error) {
			m, err = accounts.AddMember(t.Context(), tx, o.hasher, a, accounts.MemberRequest{Email: email, Role: role, Password: password})
			return err
		})
		return m, err
	}
	m, err := add(admin, "New.Person@Example.com", fixture.Password, accounts.Marketer)
	if err != nil || m.Email != "new.person@example.com" || m.Role != accounts.Marketer {
		t.Fatalf("add: %+v, %v", m, err)
	}
	_, err = add(admin, m.Email, "", accounts.Viewer)
	wantCode(t, "again", err, "member.exists")
	_, err = add(admin, "other@example.com", fixture.Password, accounts.Owner)
	wantCode(t, "an admin makes an owner", err, "member.owner_only")
	_, err = add(owner, "other@example.com", "short", accounts.Viewer)
	wantCode(t, "short password", err, "password.short")
	_, err = add(owner, "Other <other@example.com>", fixture.Password, accounts.Viewer)
	wantCode(t, "no bare address", err, "invalid")

	elsewhere := fixture.Workspace(t, o.pool, o.vault)
	err = o.pool.InWorkspace(t.Context(), elsewhere.Workspace, func(tx pgx.Tx) error {
		_, err := accounts.AddMember(t.Context(), tx, o.hasher, elsewhere.Actor, accounts.MemberRequest{Email: m.Email, Role: accounts.Viewer, Password: fixture.Password})
		return err
	})
	wantCode(t, "an address of another organisation", err, "email.taken")

	set := func(a accounts.Actor, user id.User, role accounts.Role) error {
		return o.in(t, func(tx pgx.Tx) error { _, err := accounts.SetRole(t.Context(), tx, a, user, role); return err })
	}
	wantCode(t, "the last owner steps down", set(owner, o.user, accounts.Admin), "member.last_owner")
	wantCode(t, "an admin demotes an owner", set(admin, o.user, accounts.Admin), "member.owner_only")
	if err := set(owner, m.ID, accounts.Owner); err != nil {
		t.Fatal(err)
	}
	if err := set(owner, o.user, accounts.Viewer); err != nil {
		t.Errorf("one of two owners steps down: %v", err)
	}
	who, err := accounts.FindSession(t.Context(), o.pool, fixture.Session(t, o.pool, o.hasher, o.email))
	if err != nil || !errs.Is(accounts.Allow(who.Actor, accounts.WriteCampaigns), "auth.role") {
		t.Errorf("the lowered role still holds: %+v, %v", who.Actor, err)
	}
	remove := func(user id.User) error {
		return o.in(t, func(tx pgx.Tx) error { return accounts.RemoveMember(t.Context(), tx, owner, user) })
	}
	wantCode(t, "the last owner leaves", remove(m.ID), "member.last_owner")
	if err := remove(o.user); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "twice", remove(o.user), "not_found")
}

func TestPatchWorkspace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	other, err := accounts.CreateWorkspace(t.Context(), o.pool, o.vault, accounts.NewWorkspaceRequest{Organisation: o.tenant.Organisation, Name: "Taken"})
	if err != nil || other.IsZero() {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		patch accounts.WorkspacePatch
		code  string
	}{
		"nothing":    {accounts.WorkspacePatch{}, ""},
		"name":       {accounts.WorkspacePatch{Name: text("  Café  ")}, ""},
		"zone":       {accounts.WorkspacePatch{Zone: text("Asia/Riyadh")}, ""},
		"no zone":    {accounts.WorkspacePatch{Zone: text("Mars/Olympus")}, "invalid"},
		"local":      {accounts.WorkspacePatch{Zone: text("Local")}, "invalid"},
		"zero width": {accounts.WorkspacePatch{Name: text("\u200b\u200d ")}, "invalid"},
		"control":    {accounts.WorkspacePatch{Name: text("a\x07b")}, "invalid"},
		"taken":      {accounts.WorkspacePatch{Name: text("Taken")}, "name.taken"},
	} {
		var w accounts.Workspace
		err := o.in(t, func(tx pgx.Tx) (err error) {
			w, err = accounts.PatchWorkspace(t.Context(), tx, o.tenant.Actor, c.patch)
			return err
		})
		if c.code == "" && err != nil || c.code != "" && !errs.Is(err, c.code) {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
		if name == "name" && w.Name != "Café" {
			t.Errorf("name %q", w.Name)
		}
	}
}

func TestRoleTable(t *testing.T) {
	t.Parallel()
	seen := make(map[accounts.Action]bool)
	for _, r := range accounts.Rules() {
		if seen[r.Action] || len(r.Roles) == 0 || r.Roles[0] != accounts.Owner {
			t.Errorf("rule %+v: twice, or not even for owners", r)
		}
		seen[r.Action] = true
	}
}
