package contacts_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/internal/fixture"
)

// The proof of an agreement names the line of the file it stands on, as an editor
// counts: values of several lines and empty lines between count too. Importing
// another file, in which the person stands elsewhere, adds a proof and changes none.
func TestConsentNamesTheLineOfTheFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	read := func() (list []int64) {
		fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
			rows, err := tx.Query(t.Context(), `select k.import_row from consent k join import i on i.workspace_id = k.workspace_id and i.id = k.import_id
				where k.workspace_id = $1 order by i.created_at, i.id, k.import_row`, r.tenant.Workspace)
			if err != nil {
				return err
			}
			list, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
		return list
	}
	want := func(name string, lines ...int64) {
		t.Helper()
		got := read()
		if len(got) != len(lines) {
			t.Fatalf("%s: lines %v, want %v", name, got, lines)
		}
		for i := range lines {
			if got[i] != lines[i] {
				t.Errorf("%s: lines %v, want %v", name, got, lines)
			}
		}
	}
	s := contacts.Settings{DefaultCountry: "SA", Consent: rowsConsent()}
	r.run(t, "phone,note,opt_in\n0501234567,\"one\ntwo\nthree\",yes\n\n0501234568,,no\n0501234569,x,yes\n", s)
	want("a refused row of three lines, an empty line, one who said no", 7)
	r.run(t, "opt_in;phone\nyes;0501234570\nyes;0501234569\n", s)
	want("another file", 7, 2, 3)
}
