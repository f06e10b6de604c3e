package contacts_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

// rig is a workspace with an importer and an audience.
type rig struct {
	pool     *pg.Pool
	vault    *accounts.Vault
	tenant   fixture.Tenant
	importer *contacts.Importer
	audience id.Audience
}

func newRig(t testing.TB) *rig {
	t.Helper()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	r := &rig{pool: pool, vault: v, tenant: fixture.Workspace(t, pool, v)}
	r.importer = fixture.Importer(pool, v)
	r.audience = r.newAudience(t, "People")
	return r
}

func (r *rig) newAudience(t testing.TB, name string) id.Audience {
	t.Helper()
	var a contacts.Audience
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
		a, err = contacts.CreateAudience(t.Context(), tx, r.tenant.Actor, name)
		return err
	})
	return a.ID
}

// wording is one that the strict policy accepts.
func wording() *contacts.Wording {
	return &contacts.Wording{Version: "v1", Text: "Yes, Acme may send me offers on WhatsApp.", BusinessName: "Acme"}
}

func rowsConsent() *contacts.Declaration {
	return &contacts.Declaration{Covers: contacts.ConsentRows, Source: "https://acme.example/join", Wording: wording()}
}

func fileConsent() *contacts.Declaration {
	return &contacts.Declaration{Covers: contacts.ConsentFile, Method: "paper", Source: "shop 12", Wording: wording()}
}

func (r *rig) upload(t testing.TB, csv string, s contacts.Settings) (contacts.Import, error) {
	t.Helper()
	return r.uploadTo(t, r.audience, strings.NewReader(csv), s)
}

func (r *rig) uploadTo(t testing.TB, audience id.Audience, body io.Reader, s contacts.Settings) (contacts.Import, error) {
	t.Helper()
	return r.importer.Accept(t.Context(), r.tenant.Actor, contacts.Upload{Audience: audience, Settings: s, Name: "people.csv", Body: body})
}

// run imports a file that must be accepted and returns what became of it.
func (r *rig) run(t testing.TB, csv string, s contacts.Settings) contacts.Import {
	t.Helper()
	imp, err := r.upload(t, csv, s)
	if err != nil {
		t.Fatalf("upload: %v", err)
	}
	return r.finish(t, imp)
}

func (r *rig) finish(t testing.TB, imp contacts.Import) contacts.Import {
	t.Helper()
	if err := r.importer.Run(t.Context(), r.tenant.Workspace, imp.ID); err != nil {
		t.Fatalf("run: %v", err)
	}
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
		imp, err = contacts.GetImport(t.Context(), tx, r.tenant.Workspace, imp.ID)
		return err
	})
	return imp
}

func (r *rig) rejects(t testing.TB, imp id.Import) []contacts.Reject {
	t.Helper()
	var list []contacts.Reject
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
		list, err = contacts.ListRejects(t.Context(), tx, r.tenant.Workspace, imp, 0, "", 1000)
		return err
	})
	return list
}

func (r *rig) counts(t testing.TB, audience id.Audience) contacts.Audience {
	t.Helper()
	var a contacts.Audience
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
		a, err = contacts.GetAudience(t.Context(), tx, r.tenant.Workspace, audience)
		return err
	})
	return a
}

func (r *rig) contact(t testing.TB, phone string) contacts.Contact {
	t.Helper()
	var c contacts.Contact
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		p, err := contacts.ParsePhone(phone, "")
		if err != nil {
			return err
		}
		who, ok, err := contacts.Find(t.Context(), tx, r.tenant.Workspace, []string{p.RecipientKey()})
		if err != nil || !ok {
			return fmt.Errorf("nobody has %s: %w", phone, err)
		}
		c, err = contacts.Get(t.Context(), tx, r.tenant.Workspace, who)
		return err
	})
	return c
}

func figures(i contacts.Import) string {
	return fmt.Sprintf("%s rows=%d created=%d updated=%d unchanged=%d merged=%d rejected=%d opted=%d superseded=%d",
		i.State, i.Rows, i.Created, i.Updated, i.Unchanged, i.Merged, i.Rejected, i.OptedIn, i.Superseded)
}

func TestImportFigures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.run(t, "phone,name,city,opt_in\n+966501234567,Sara,Riyadh,yes\n00966501234567,,Jeddah,\n0501234568,Ali,,no\n+1,Nobody,,yes\n",
		contacts.Settings{DefaultCountry: "SA", Consent: rowsConsent()})
	if got, want := figures(first), "completed rows=4 created=2 updated=0 unchanged=0 merged=1 rejected=1 opted=1 superseded=0"; got != want {
		t.Fatalf("first import:\n got %s\nwant %s", got, want)
	}
	if c := r.contact(t, "+966501234567"); c.Name != "Sara" || c.Attributes["city"] != "Jeddah" {
		t.Fatalf("merged person: %+v", c)
	}
	second := r.run(t, "Phone;Name;City\n966501234567;Sara;Mecca\n966501234568;;\n966501234569;New;\n", contacts.Settings{})
	if got, want := figures(second), "completed rows=3 created=1 updated=1 unchanged=1 merged=0 rejected=0 opted=0 superseded=0"; got != want {
		t.Fatalf("second import:\n got %s\nwant %s", got, want)
	}
	a := r.counts(t, r.audience)
	if a.Members != 3 || a.OptedIn["marketing"] != 1 || a.OptedIn["utility"] != 0 {
		t.Fatalf("audience: %+v", a)
	}
	var job contacts.Job
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) (err error) {
		job, err = contacts.GetJob(t.Context(), tx, r.tenant.Workspace, second.Job())
		return err
	})
	if job.State != "completed" || job.Done != 3 || job.Total != 3 || !strings.Contains(string(job.Result), "import.no_opt_in") {
		t.Fatalf("job: %+v %s", job, job.Result)
	}
	if n := r.countRows(t, "blob_chunk") + r.countRows(t, "import_member"); n != 0 {
		t.Fatalf("%d rows of finished imports are left", n)
	}
}

func (r *rig) countRows(t testing.TB, table string) int {
	t.Helper()
	var n int
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), "select count(*) from "+pgx.Identifier{table}.Sanitize()).Scan(&n)
	})
	return n
}

func TestImportModes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run(t, "phone,name,city\n+966501234567,Sara,Riyadh\n", contacts.Settings{})
	add := r.run(t, "phone,name,city\n+966501234567,Other,Jeddah\n+966501234568,Ali,\n", contacts.Settings{Mode: contacts.ModeAdd})
	if got, want := figures(add), "completed rows=2 created=1 updated=0 unchanged=1 merged=0 rejected=0 opted=0 superseded=0"; got != want {
		t.Fatalf("add:\n got %s\nwant %s", got, want)
	}
	if c := r.contact(t, "+966501234567"); c.Name != "Sara" || c.Attributes["city"] != "Riyadh" {
		t.Fatalf("add changed a known person: %+v", c)
	}
	update := r.run(t, "phone,name\n+966501234567,Sara B\n+966501234569,Unknown\n", contacts.Settings{Mode: contacts.ModeUpdate})
	if got, want := figures(update), "completed rows=2 created=0 updated=1 unchanged=0 merged=0 rejected=1 opted=0 superseded=0"; got != want {
		t.Fatalf("update:\n got %s\nwant %s", got, want)
	}
	rejects := r.rejects(t, update.ID)
	if len(rejects) != 1 || rejects[0].Code != "import.unknown_person" || rejects[0].Row != 2 || rejects[0].Line != 3 || strings.Contains(rejects[0].Got, "1234569") {
		t.Fatalf("rejects: %+v", rejects)
	}
}

// Two imports of the same people, in other order, at once: both end, nobody is
// made twice (C42).
func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.importer.Limits.Chunk = 100
	var files [2]strings.Builder
	for f := range files {
		files[f].WriteString("phone,name,file,opt_in\n")
	}
	const n = 1500
	for i := range n {
		fmt.Fprintf(&files[0], "+9665%08d,A%d,a,yes\n", 10000000+i, i)
		fmt.Fprintf(&files[1], "+9665%08d,B%d,b,yes\n", 10000000+(n+500-1-i), i)
	}
	var wg sync.WaitGroup
	for f := range files {
		imp, err := r.upload(t, files[f].String(), contacts.Settings{Consent: rowsConsent()})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := r.importer.Run(t.Context(), r.tenant.Workspace, imp.ID); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	wg.Wait()
	if a := r.counts(t, r.audience); a.Members != n+500 || a.OptedIn["marketing"] != n+500 {
		t.Fatalf("audience after two imports: %+v", a)
	}
	if got := r.countRows(t, "contact"); got != n+500 {
		t.Fatalf("%d contacts, want %d", got, n+500)
	}
}

// A worker that dies leaves the audience as it was; the next one goes on behind
// the last chunk and the figures are those of one undisturbed import (C43).
func TestImportIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.importer.Limits.Chunk = 10
	var file strings.Builder
	file.WriteString("phone,opt_in\n")
	for i := range 55 {
		fmt.Fprintf(&file, "+9665%08d,yes\n", 10000000+i)
	}
	imp, err := r.upload(t, file.String(), contacts.Settings{Consent: rowsConsent()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	dying, chunks := *r.importer, 0
	dying.Record = func(c context.Context, tx pgx.Tx, ws id.Workspace, said contacts.Said) ([]id.Contact, error) {
		if chunks++; chunks == 3 {
			cancel()
		}
		return r.importer.Record(c, tx, ws, said)
	}
	if err := dying.Run(ctx, r.tenant.Workspace, imp.ID); err == nil {
		t.Fatal("a cancelled run ended without an error")
	}
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error { // the machine may be busy
		_, err := tx.Exec(t.Context(), `update import set lease_until = lease_until + interval '1 minute' where workspace_id = $1 and id = $2`,
			r.tenant.Workspace, imp.ID)
		return err
	})
	if a := r.counts(t, r.audience); a.Members != 0 {
		t.Fatalf("%d members after an unfinished import", a.Members)
	}
	if err := r.importer.Run(t.Context(), r.tenant.Workspace, imp.ID); err != nil {
		t.Fatal(err)
	}
	if a := r.counts(t, r.audience); a.Members != 0 {
		t.Fatal("another worker ran it under a lease that still held")
	}
	pgtest.MoveClock(t, r.pool, 10*time.Minute)
	done := r.finish(t, imp)
	if got, want := figures(done), "completed rows=55 created=55 updated=0 unchanged=0 merged=0 rejected=0 opted=55 superseded=0"; got != want {
		t.Fatalf("\n got %s\nwant %s", got, want)
	}
	if n := r.countRows(t, "consent"); n != 55 {
		t.Fatalf("%d ledger entries for 55 people", n)
	}
	again := r.finish(t, imp)
	if figures(again) != figures(done) {
		t.Fatalf("a second run changed a finished import: %s", figures(again))
	}
}

func TestImportIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	imp, err := r.upload(t, "phone,opt_in\n+966501234567,yes\n", contacts.Settings{Consent: rowsConsent()})
	if err != nil {
		t.Fatal(err)
	}
	broken := *r.importer
	broken.Record = func(context.Context, pgx.Tx, id.Workspace, contacts.Said) ([]id.Contact, error) {
		return nil, fmt.Errorf("no luck")
	}
	for i := range 6 {
		err := broken.Run(t.Context(), r.tenant.Workspace, imp.ID)
		if (err == nil) != (i == 5) {
			t.Fatalf("try %d: %v", i+1, err)
		}
		pgtest.MoveClock(t, r.pool, time.Duration(i+1)*time.Minute)
	}
	done := r.finish(t, imp)
	if done.State != "failed" || done.Problem == nil || done.Problem.Code != "import.interrupted" {
		t.Fatalf("import: %+v", done)
	}
	if n := r.countRows(t, "contact") + r.countRows(t, "blob_chunk"); n != 0 {
		t.Fatalf("%d rows are left", n)
	}
}

func TestDuplicateFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const file = "phone\n+966501234567\n"
	first := r.run(t, file, contacts.Settings{})
	_, err := r.upload(t, file, contacts.Settings{})
	e, _ := errs.As(err)
	if e == nil || e.Code != "import.duplicate" || e.Params["import"] != first.ID.String() {
		t.Fatalf("the same file again: %v", err)
	}
	if _, err := r.uploadTo(t, r.newAudience(t, "Other"), strings.NewReader(file), contacts.Settings{}); err != nil {
		t.Fatalf("the same file into another audience: %v", err)
	}
	imp, err := r.importer.Accept(t.Context(), r.tenant.Actor, contacts.Upload{Audience: r.audience, Body: strings.NewReader(file), Again: true})
	if err != nil {
		t.Fatalf("the same file, meant: %v", err)
	}
	if got := r.finish(t, imp); got.Unchanged != 1 || got.Created != 0 {
		t.Fatalf("again: %s", figures(got))
	}
	if n := r.countRows(t, "blob"); n != 3 {
		t.Fatalf("%d files are kept, want 3: the refused one must go", n)
	}
}
