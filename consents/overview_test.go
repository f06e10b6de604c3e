package consents_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/consents"
	"bareed/internal/fixture"
)

// TestGetOverview: who refused is counted once, however often they say so, from
// the moment asked for and in their own workspace alone; who replied apart from
// whose refusal a person, a file or a program recorded.
func TestGetOverview(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	look := func(r *rig, hours int) (o consents.Overview) {
		t.Helper()
		fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
			o, err = consents.GetOverview(t.Context(), tx, r.tenant.Workspace, r.at(1000+hours))
			return err
		})
		return o
	}
	if o := look(r, -1); o != (consents.Overview{}) {
		t.Errorf("nobody: %+v", o)
	}
	r.optIn(t, 1, 10, "web_form")
	r.optIn(t, 2, 10, "web_form")
	if o := look(r, -1); o != (consents.Overview{Anybody: true}) {
		t.Errorf("two agreed: %+v", o)
	}
	r.optOut(t, 1, 20, "keyword")
	r.optOut(t, 1, 30, "keyword")
	r.optOut(t, 3, 30, "keyword") // of whom nothing was known
	if o := look(r, -1); o != (consents.Overview{Replied: 2, Anybody: true}) {
		t.Errorf("two refused: %+v", o)
	}
	r.optOut(t, 2, 40, "keyword")
	r.optOut(t, 6, 40, "user_preferences")
	r.optOut(t, 1, 50, "phone_call") // said it before
	r.optOut(t, 4, 50, "phone_call")
	r.optOut(t, 5, 50, "import")
	if o := look(r, -1); o != (consents.Overview{Replied: 4, Recorded: 2}) {
		t.Errorf("nobody is left: %+v", o)
	}
	if o := look(r, 1); o.Replied+o.Recorded != 0 {
		t.Errorf("since an hour from now: %+v", o)
	}
	other := &rig{pool: r.pool, vault: r.vault, tenant: fixture.Workspace(t, r.pool, r.vault), start: r.start}
	if o := look(other, -1); o != (consents.Overview{}) {
		t.Errorf("another's: %+v", o)
	}
}
