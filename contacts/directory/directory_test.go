package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/directory"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

func TestFind(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	tenant := fixture.Workspace(t, pool, v)
	few := fixture.Audience(t, pool, v, tenant, 0)
	fixture.Import(t, pool, v, tenant, few, "phone,name\n+966501234567,Sara Hassan\n+201001234567,أحمد فتحى\n", contacts.Settings{})
	all := fixture.Audience(t, pool, v, tenant, 0)
	fixture.Import(t, pool, v, tenant, all, "phone,name\n+966501234567,\n+971501234567,SARAH\n", contacts.Settings{})
	other := fixture.Workspace(t, pool, v)
	fixture.Import(t, pool, v, other, fixture.Audience(t, pool, v, other, 0), "phone,name\n+966501234567,Sara of others\n", contacts.Settings{})
	for _, c := range []struct {
		text     string
		audience id.Audience
		want     []string
	}{
		{"", id.Audience{}, []string{"SARAH", "Sara Hassan", "أحمد فتحى"}},
		{"", few, []string{"Sara Hassan", "أحمد فتحى"}},
		{"sara", id.Audience{}, []string{"SARAH", "Sara Hassan"}},
		{" sara ", few, []string{"Sara Hassan"}},
		{"احمد فتحي", id.Audience{}, []string{"أحمد فتحى"}},
		{"%", id.Audience{}, nil},
		{"+966 50 123 4567", id.Audience{}, []string{"Sara Hassan"}},
		{"966501234567", id.Audience{}, []string{"Sara Hassan"}},
		{"٠٥٠١٢٣٤٥٦٧", id.Audience{}, []string{"SARAH", "Sara Hassan"}},
		{"0501234567", few, []string{"Sara Hassan"}},
		{"+966509999999", id.Audience{}, nil},
	} {
		var got []string
		fixture.In(t, pool, tenant.Workspace, func(tx pgx.Tx) error {
			list, _, err := directory.Find(t.Context(), tx, tenant.Workspace, directory.Query{Text: c.text, Audience: c.audience, Limit: 10})
			for _, p := range list {
				got = append(got, p.Name)
			}
			return err
		})
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q finds %q, want %q", c.text, got, c.want)
		}
	}
}

// TestFindGoesOn: a look for a name is bounded, and the next one goes on where it
// ended, until everybody was looked at. Nobody is left out or found twice.
func TestFindGoesOn(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	tenant := fixture.Workspace(t, pool, v)
	file := "phone,name\n"
	var want []string
	for i := range 25 {
		name := fmt.Sprintf("Nora %02d", i)
		if i%8 == 0 {
			name = fmt.Sprintf("Sara %02d", i)
			want = append(want, name)
		}
		file += fixture.Phone(i) + "," + name + "\n"
	}
	audience := fixture.Audience(t, pool, v, tenant, 0)
	fixture.Import(t, pool, v, tenant, audience, file, contacts.Settings{})
	for _, q := range []directory.Query{
		{Text: "SARA", Limit: 3, Through: 7},
		{Text: "SARA", Limit: 3, Through: 7, Audience: audience},
		{Text: "SARA", Limit: 1, Through: 7},
		{Text: "SARA", Limit: 3, Through: 25},
		{Text: "SARA", Limit: 3},
	} {
		var got []string
		looks := 0
		for more := true; more; looks++ {
			fixture.In(t, pool, tenant.Workspace, func(tx pgx.Tx) error {
				list, further, err := directory.Find(t.Context(), tx, tenant.Workspace, q)
				for _, p := range list {
					got = append(got, p.Name)
				}
				switch {
				case len(list) == q.Limit && !further.IsZero():
					t.Errorf("%+v: a full page that also ended early", q)
				case len(list) == q.Limit:
					q.Before = list[len(list)-1].ID
				default:
					q.Before = further
				}
				more = !q.Before.IsZero()
				return err
			})
			if looks > 30 {
				t.Fatalf("%+v: it never ends", q)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %q in %d looks, want %q", q, got, looks, want)
		}
		if q.Through == 7 && looks < 4 {
			t.Errorf("%+v: %d looks of 7 people", q, looks)
		}
	}
}
