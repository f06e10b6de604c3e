package identity_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/identity"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

type rig struct {
	pool      *pg.Pool
	ws        id.Workspace
	portfolio id.Portfolio
}

func newRig(t *testing.T) *rig {
	t.Helper()
	pool := pgtest.New(t)
	tenant := fixture.Workspace(t, pool, fixture.Vault(t, pool))
	return &rig{pool, tenant.Workspace, id.New[id.Portfolio]()}
}

func (r *rig) learn(t *testing.T, pairs ...identity.Pair) (l identity.Learned) {
	t.Helper()
	fixture.In(t, r.pool, r.ws, func(tx pgx.Tx) (err error) {
		l, err = identity.Learn(t.Context(), tx, r.ws, r.portfolio, pairs)
		return err
	})
	return l
}

func (r *rig) person(t *testing.T, waID string) (c id.Contact) {
	t.Helper()
	fixture.In(t, r.pool, r.ws, func(tx pgx.Tx) error {
		p, err := contacts.ParsePhone("+"+waID, "")
		if err != nil {
			return err
		}
		c, err = contacts.Ensure(t.Context(), tx, r.ws, p)
		return err
	})
	return c
}

// whose is the contact an identity belongs to, zero for none.
func (r *rig) whose(t *testing.T, kind, key string) (c id.Contact) {
	t.Helper()
	fixture.In(t, r.pool, r.ws, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `select contact_id from identity where kind = $1 and key = $2`, kind, key)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[id.Contact])
		if len(list) > 0 {
			c = list[0]
		}
		return err
	})
	return c
}

func TestLearn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	layla := r.person(t, "966501234567")
	l := r.learn(t, identity.Pair{WaID: "966501234567", BSUID: "SA.1", Username: "Layla"}, identity.Pair{WaID: "966501234567", BSUID: "SA.1"})
	if !slices.Equal(l.People, []id.Contact{layla}) || len(l.Conflicts)+len(l.Strangers) != 0 {
		t.Errorf("first: %+v", l)
	}
	if r.whose(t, "bsuid", "SA.1") != layla || r.whose(t, "username", "layla") != layla {
		t.Error("the scoped id or the username was not learned")
	}
	if l := r.learn(t, identity.Pair{WaID: "966501234567", BSUID: "SA.1", Username: "Layla"}); len(l.People) != 0 {
		t.Errorf("again: %+v", l)
	}
	l = r.learn(t, identity.Pair{WaID: "966507654321", BSUID: "SA.1"})
	if !slices.Equal(l.People, []id.Contact{layla}) || r.whose(t, "phone", "+966507654321") != layla {
		t.Errorf("a new phone of a known id: %+v", l)
	}
	l = r.learn(t, identity.Pair{WaID: "5215512345678", BSUID: "MX.9"})
	if want := []identity.Stranger{{Phone: "p:+525512345678", Scoped: "b:MX.9"}}; !slices.Equal(l.Strangers, want) || len(l.People) != 0 {
		t.Errorf("strangers: %+v", l)
	}
	if !r.whose(t, "bsuid", "MX.9").IsZero() {
		t.Error("a stranger was made a contact")
	}
	omar := r.person(t, "5215512345678") // as Meta writes it; the file said 52 55…
	if l := r.learn(t, identity.Pair{WaID: "5215512345678", BSUID: "MX.9", Username: "layla"}); !slices.Equal(l.People, []id.Contact{omar}) {
		t.Errorf("the folded phone: %+v", l)
	}
	if r.whose(t, "username", "layla") != omar {
		t.Error("the username did not go to its new holder")
	}
}

// TestLearnConflict: a scoped id that is another contact's stays there.
func TestLearnConflict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := r.person(t, "966501234567"), r.person(t, "966507654321")
	r.learn(t, identity.Pair{WaID: "966501234567", BSUID: "SA.1"})
	both := func(fresh bool) []identity.Conflict {
		return []identity.Conflict{{Contact: b, Other: a, Fresh: fresh}, {Contact: a, Other: b, Fresh: fresh}}
	}
	for _, fresh := range []bool{true, false} {
		l := r.learn(t, identity.Pair{WaID: "966507654321", BSUID: "SA.1"})
		if !slices.Equal(l.Conflicts, both(fresh)) || len(l.People) != 0 {
			t.Errorf("fresh %v: %+v", fresh, l)
		}
	}
	if r.whose(t, "bsuid", "SA.1") != a {
		t.Error("the scoped id was moved")
	}
	fixture.In(t, r.pool, r.ws, func(tx pgx.Tx) error {
		others, err := identity.Others(t.Context(), tx, r.ws, a)
		if err == nil && !slices.Equal(others, []id.Contact{b}) {
			t.Errorf("others %v", others)
		}
		return err
	})
	// Both in one body, neither known before.
	c, d := r.person(t, "966502222222"), r.person(t, "966503333333")
	l := r.learn(t, identity.Pair{WaID: "966503333333", BSUID: "SA.2"}, identity.Pair{WaID: "966502222222", BSUID: "SA.2"})
	if !slices.Equal(l.People, []id.Contact{c}) || len(l.Conflicts) != 2 || l.Conflicts[0].Contact != d {
		t.Errorf("two phones with one id: %+v", l)
	}
}

func TestLearnIgnoresWhatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	layla := r.person(t, "966501234567")
	l := r.learn(t, identity.Pair{WaID: "966501234567"}, identity.Pair{WaID: "966501234567", BSUID: "SA.1\x00"},
		identity.Pair{WaID: "+966501234567", BSUID: "SA.1"}, identity.Pair{BSUID: "SA.1"}, identity.Pair{},
		identity.Pair{WaID: "966501234567", Username: "a\x00b"}, identity.Pair{Username: "layla"})
	if len(l.People)+len(l.Conflicts)+len(l.Strangers) != 0 || r.whose(t, "username", "layla") == layla {
		t.Errorf("learned %+v", l)
	}
}
