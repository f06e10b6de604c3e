package draft_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/draft"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

type rig struct {
	pool     *pg.Pool
	tenant   fixture.Tenant
	importer *contacts.Importer
	audience id.Audience
}

func newRig(t *testing.T) *rig {
	t.Helper()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	r := &rig{pool: pool, tenant: fixture.Workspace(t, pool, v), importer: fixture.Importer(pool, v)}
	r.audience = fixture.Audience(t, pool, v, r.tenant, 0)
	return r
}

func (r *rig) stage(t *testing.T, file string) (draft.Draft, error) {
	t.Helper()
	return draft.Stage(t.Context(), r.importer, r.tenant.Actor, contacts.Upload{Audience: r.audience, Name: `C:\lists\people.csv`, Body: strings.NewReader(file)})
}

func (r *rig) staged(t *testing.T, file string) draft.Draft {
	t.Helper()
	d, err := r.stage(t, file)
	if err != nil {
		t.Fatalf("stage: %v", err)
	}
	return d
}

func (r *rig) count(t *testing.T, table string) (n int) {
	t.Helper()
	if err := pgtest.Owner(t, r.pool).QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A file goes through the door once, is looked at, answered and imported.
func TestFromFileToImport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.staged(t, "Customer,Handy,City\nSara,0501234567,Riyadh\nAli,0501234568,Jeddah\nNobody,12,\n")
	if d.File != "people.csv" || d.Rows != 3 || d.Size == 0 {
		t.Fatalf("staged: %+v", d)
	}
	table, err := draft.Columns(t.Context(), r.importer, r.tenant.Workspace, d)
	if err != nil || len(table.Columns) != 3 || table.Samples[1][0] != "0501234567" || table.Samples[2][1] != "Jeddah" {
		t.Fatalf("columns: %+v %v", table, err)
	}
	if _, err := draft.Look(t.Context(), r.importer, r.tenant.Actor, d); !errs.Is(err, "csv.header_missing_column") {
		t.Errorf("a look without the phone's column: %v", err)
	}
	d.Settings.Mapping = map[string]string{"Customer": "name", "Handy": "phone", "City": "city"}
	d.Settings.DefaultCountry = "SA"
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error { return draft.Save(t.Context(), tx, d, r.tenant.Workspace) })
	p, err := draft.Look(t.Context(), r.importer, r.tenant.Actor, d)
	if err != nil || p.Rows != 3 || !p.Whole || p.Rejected != 1 || p.First[0].Phone.E164 != "+966501234567" || p.First[0].Name != "Sara" || len(p.Reasons) != 1 || p.OptedIn != 0 {
		t.Fatalf("look: %+v %v", p, err)
	}
	imp, err := draft.Start(t.Context(), r.importer, r.tenant.Actor, d, false)
	if err != nil || imp.State != "waiting" || imp.File != "people.csv" {
		t.Fatalf("start: %+v %v", imp, err)
	}
	if _, err := draft.Start(t.Context(), r.importer, r.tenant.Actor, d, false); !errs.Is(err, "not_found") {
		t.Errorf("a second start: %v", err)
	}
	if _, err := draft.Start(t.Context(), r.importer, r.tenant.Actor, d, true); !errs.Is(err, "not_found") {
		t.Errorf("a second start, meant: %v", err)
	}
	if err := r.importer.Run(t.Context(), r.tenant.Workspace, imp.ID); err != nil {
		t.Fatal(err)
	}
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
		imp, err = contacts.GetImport(t.Context(), tx, r.tenant.Workspace, imp.ID)
		return err
	})
	if imp.State != "completed" || imp.Created != 2 || imp.Rejected != 1 || r.count(t, "import_draft") != 0 || r.count(t, "blob_chunk") != 0 {
		t.Errorf("imported: %+v", imp)
	}
	again := r.staged(t, "Customer,Handy,City\nSara,0501234567,Riyadh\nAli,0501234568,Jeddah\nNobody,12,\n")
	again.Settings = d.Settings
	if _, err := draft.Start(t.Context(), r.importer, r.tenant.Actor, again, false); !errs.Is(err, "import.duplicate") {
		t.Errorf("the same file again: %v", err)
	}
	if r.count(t, "import_draft") != 1 {
		t.Error("a refused start loses the draft")
	}
}

// What an answer can put right is kept; the rest is refused and nothing of it stays.
func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.importer.Limits = contacts.Limits{Bytes: 1 << 20, Rows: 100}
	for _, c := range []struct{ name, file, code, encoding string }{
		{"no phone column", "name,city\nSara,Riyadh\n", "", ""},
		{"Windows-1256", "phone,name\n+966501234567,\xe3\xcd\xe3\xcf\n", "", "windows-1256"},
		{"two delimiters", "a,phone number;b\n+966501234567,1;2\n", "", ""},
		{"a row of another length", "phone,name\n+966501234567\n", "", ""},
		{"empty", "", "csv.empty", ""},
		{"blanks", " \r\n", "csv.empty", ""},
		{"header only", "phone\n", "csv.no_rows", ""},
		{"no header", "+966501234567,Sara\n", "csv.header_missing", ""},
		{"a spreadsheet", "PK\x03\x04xl/workbook.xml", "csv.is_spreadsheet", ""},
		{"packed", "\x1f\x8b\x08", "upload.compressed", ""},
		{"a picture", "\x89PNG\r\n\x1a\n", "csv.not_csv", ""},
		{"too large", "phone\n" + strings.Repeat("+966501234567\n", 80_000), "csv.too_many_rows", ""},
		{"too long", "phone,note\n+966501234567," + strings.Repeat("\xe3", 2<<20), "upload.too_large", ""},
	} {
		before := r.count(t, "blob")
		d, err := r.stage(t, c.file)
		if c.code != "" && (!errs.Is(err, c.code) || r.count(t, "blob") != before) {
			t.Errorf("%s: %v, %d files more", c.name, err, r.count(t, "blob")-before)
		}
		if c.code == "" && (err != nil || d.Settings.Encoding != c.encoding) {
			t.Errorf("%s: %v, read as %q", c.name, err, d.Settings.Encoding)
		}
	}
	d := r.staged(t, "phone,name\n+966501234567,\xe3\xcd\xe3\xcf\n")
	table, err := draft.Columns(t.Context(), r.importer, r.tenant.Workspace, d)
	if err != nil || table.Samples[1][0] != "محمد" {
		t.Errorf("Windows-1256 reads as %+v, %v", table, err)
	}
}

func TestDraftsOfOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.staged(t, "phone\n+966501234567\n")
	other := fixture.Workspace(t, r.pool, fixture.Vault(t, r.pool))
	fixture.In(t, r.pool, other.Workspace, func(tx pgx.Tx) error {
		if _, err := draft.Get(t.Context(), tx, other.Workspace, r.audience, d.ID); !errs.Is(err, "not_found") {
			t.Errorf("another workspace finds the draft: %v", err)
		}
		if err := draft.Discard(t.Context(), tx, other.Actor, d); !errs.Is(err, "not_found") {
			t.Errorf("another workspace discards the draft: %v", err)
		}
		return nil
	})
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		list, err := draft.List(t.Context(), tx, r.tenant.Workspace, r.audience)
		if err != nil || len(list) != 1 {
			t.Errorf("list: %v %v", list, err)
		}
		return draft.Discard(t.Context(), tx, r.tenant.Actor, d)
	})
	if r.count(t, "blob") != 0 || r.count(t, "blob_chunk") != 0 {
		t.Error("a discarded file is still there")
	}
}
