package web_test

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/web"
)

// counter counts the statements of a server, without those of transactions.
type counter struct{ n atomic.Int64 }

func (q *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	switch word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(d.SQL)), " "); strings.TrimSuffix(word, ";") {
	case "begin", "commit", "rollback", "set":
	default:
		q.n.Add(1)
	}
	return ctx
}

func (q *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// counted is a rig whose server counts its statements.
func counted(t *testing.T) (*rig, *counter) {
	t.Helper()
	q := &counter{}
	db := pgtest.Open(t)
	r := &rig{pool: db.Pool}
	watched, err := pg.Open(t.Context(), pg.Config{URL: db.URL, MaxConns: 4, Tracer: q})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watched.Close)
	r.vault, r.hasher = fixture.Vault(t, r.pool), fixture.Hasher(t)
	s, err := web.New(web.Config{UI: pages(t), Pool: watched, Vault: r.vault, Hasher: r.hasher})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	r.tenant = fixture.Workspace(t, r.pool, r.vault)
	return r, q
}

// send uploads a file as a browser does.
func (b *browser) send(path, name, file string) page {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	if name != "" {
		part, err := m.CreateFormFile("file", name)
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = part.Write([]byte(file))
	}
	_ = m.Close()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.rig.url+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", b.lang)
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	_, _ = text.ReadFrom(res.Body)
	return page{res.StatusCode, res.Header, text.String()}
}

// sentence is a fault's text as a page writes it.
func sentence(lang, code string, kv ...any) string {
	return strings.ReplaceAll(template.HTMLEscapeString(errs.New(code, kv...).Problem(lang).Detail), "+", "&#43;")
}

// follow opens where a page leads.
func (b *browser) follow(p page) (string, page) {
	b.t.Helper()
	where := p.Header.Get("Location")
	if p.Status != http.StatusSeeOther || where == "" {
		b.t.Fatalf("leads nowhere: %d %s", p.Status, p.Body)
	}
	return where, b.get(where)
}

func (r *rig) speak(t *testing.T, b *browser, lang string) {
	t.Helper()
	b.lang = lang
	b.post("/language", "language", lang, "back", "/").to(t, "/")
}

// look is examine for a page that names a file.
func look(t *testing.T, path, lang string, p page) {
	t.Helper()
	p.Body = strings.NewReplacer("people.csv<", "people<", "x.csv<", "x<").Replace(p.Body)
	examine(t, path, lang, p)
}

const people = "Customer,Handy,City,ok\nSara Hassan,0501234567,Riyadh,yes\nAli,0501234568,Jeddah,no\nNobody,12,,\nSara H.,+966501234567,Riyadh,\n"

// An audience from its name to the result of an import, by forms alone.
func TestImportByPages(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b := r.as(t, accounts.Marketer)
			r.speak(t, b, lang)
			see := func(path string, p page) page { look(t, path, lang, p.has(t, 200)); return p }
			b.post("/audiences/new", "name", " ").has(t, 422, `id="name-error"`)
			audience, p := b.follow(b.post("/audiences/new", "name", "Loyal <b>"))
			see(audience, p).has(t, 200, "Loyal &lt;b&gt;", audience+"/import")
			b.post("/audiences/new", "name", "Loyal <b>").has(t, 409, `value="Loyal &lt;b&gt;"`)
			see(audience+"/import", b.get(audience+"/import"))
			sample := b.get(audience + "/sample/" + lang)
			if sample.Status != 200 || !strings.HasPrefix(sample.Body, "\ufeff") || !strings.Contains(sample.Header.Get("Content-Disposition"), "people-"+lang+".csv") {
				t.Errorf("the sample: %+v", sample)
			}
			draft, p := b.follow(b.send(audience+"/import", "people.csv", people))
			see(draft, p).has(t, 200, "people.csv", "Handy", "0501234567")
			see(audience, b.get(audience)).has(t, 200, draft, draft+"/discard")

			b.post(draft, "column0", "name", "column1", "=", "column2", "=", "column3", "-").has(t, 422, sentence(lang, "csv.header_missing_column", "column", "phone", "found", "Customer, Handy, City, ok"))
			b.post(draft, "column0", "name", "column1", "phone", "column2", "name", "column3", "-").has(t, 422, `href="#columns"`)
			// The country is asked where the phone is, and its number shown before
			// anything is kept.
			p = see(draft, b.post(draft, "column0", "name", "column1", "phone", "column2", "=", "column3", "-", "default_country", "SA", "act", "show")).has(t, 200, "+966501234567")
			if _, beside, _ := strings.Cut(p.Body, `id="column1-country"`); !strings.Contains(strings.Split(beside, "</td>")[0], `name="default_country"`) || strings.Count(p.Body, `name="default_country"`) != 1 {
				t.Errorf("the country is not asked beside the phone: %s", p.Body)
			}
			p = see(draft, b.post(draft, "column0", "phone", "column1", "-", "column2", "=", "column3", "-", "act", "show"))
			if _, beside, _ := strings.Cut(p.Body, `id="column0-country"`); !strings.Contains(strings.Split(beside, "</td>")[0], `name="default_country"`) {
				t.Errorf("the country does not move with the phone: %s", p.Body)
			}
			p = see(draft, b.post(draft, "column0", "name", "column1", "-", "column2", "=", "column3", "-", "act", "show"))
			if _, below, _ := strings.Cut(p.Body, `id="no-phone"`); !strings.Contains(below, `name="default_country"`) {
				t.Errorf("without a phone the country is not asked at all: %s", p.Body)
			}
			if strings.Contains(b.get(draft).Body, "+966501234567") {
				t.Error("what was only shown was kept")
			}

			choice := []string{"column0", "name", "column1", "phone", "column2", "=", "column3", "opt_in", "default_country", "SA", "mode", "both"}
			where, p := b.follow(b.post(draft, append(choice, "act", "look")...))
			see(where, p).has(t, 200, "+966501234567")
			if where != draft {
				t.Errorf("looking again leads to %s", where)
			}
			where, p = b.follow(b.post(draft, choice...))
			see(where, p).has(t, 200, `value="rows" checked`)

			agreed := []string{"covers", "rows", "purposes", "marketing", "method", "web_form", "source", "https://acme.example/join",
				"wording", "Acme may write to me on WhatsApp.", "business_name", "Acme", "date", "2026-01-01"}
			b.post(where, "covers", "rows", "purposes", "marketing", "source", "x").has(t, 422, `id="wording-error"`)
			b.post(where, append(agreed[:len(agreed)-1:len(agreed)-1], "soon")...).has(t, 422, `id="date-error"`, `value="https://acme.example/join"`)
			where, p = b.follow(b.post(where, agreed...))
			see(where, p).has(t, 200, "Sara Hassan", `data-label="city"><bdi>Riyadh`, sentence(lang, "phone.invalid"))
			where, p = b.follow(b.post(where))
			see(where, p).has(t, 200, `data-live=""`, `http-equiv="refresh"`)

			imp := where[strings.LastIndex(where, "/")+1:]
			run, err := id.Parse[id.Import](imp)
			if err != nil {
				t.Fatal(err)
			}
			if err := fixture.Importer(r.pool, r.vault).Run(t.Context(), r.tenant.Workspace, run); err != nil {
				t.Fatal(err)
			}
			p = see(where, b.get(where)).has(t, 200, sentence(lang, "phone.invalid"), where+"/rejects.csv")
			if strings.Contains(p.Body, "data-live=") || strings.Contains(p.Body, "http-equiv") {
				t.Error("a finished import still reloads")
			}
			file := b.get(where+"/rejects.csv").has(t, 200, "phone.invalid", "12")
			if !strings.Contains(file.Header.Get("Content-Disposition"), "rejects.csv") {
				t.Errorf("the rejects are no download: %v", file.Header)
			}
			see(audience, b.get(audience)).has(t, 200, "people.csv", `aria-valuenow="1"`)
			see("/audiences", b.get("/audiences")).has(t, 200, "Loyal &lt;b&gt;", `aria-valuenow="1"`)

			draft, _ = b.follow(b.send(audience+"/import", "people.csv", people))
			b.post(draft, choice...)
			b.post(draft+"/consent", agreed...)
			b.post(draft+"/check").has(t, 422, `name="again"`)
			b.follow(b.post(draft+"/check", "again", "yes"))
			b.get(draft).has(t, 404)
		})
	}
}

// A file that is no good is refused in a sentence, and what can be put right is
// kept for it.
func TestBadUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Owner)
	audience := "/audiences/" + fixture.Audience(t, r.pool, r.vault, r.tenant, 0).String()
	for _, lang := range []string{"en", "ar"} {
		r.speak(t, b, lang)
		for name, c := range map[string]struct {
			file, code string
			status     int
		}{
			"empty":       {"", "csv.empty", 422},
			"header only": {"phone\n", "csv.no_rows", 422},
			"spreadsheet": {"PK\x03\x04 xl/workbook.xml", "csv.is_spreadsheet", 415},
			"picture":     {"\x89PNG\r\n\x1a\n", "csv.not_csv", 415},
			"packed":      {"\x1f\x8b\x08", "upload.compressed", 415},
		} {
			p := b.send(audience+"/import", name+".csv", c.file).has(t, c.status, sentence(lang, c.code), `id="file-error"`)
			look(t, name, lang, p)
		}
		b.send(audience+"/import", "", "").has(t, 422, sentence(lang, "field.required"))

		where, p := b.follow(b.send(audience+"/import", "x.csv", "name,city\nSara,Riyadh\n"))
		look(t, where, lang, p.has(t, 200, "Riyadh"))
		b.post(where+"/discard").to(t, audience)
		where, p = b.follow(b.send(audience+"/import", "x.csv", "phone,name\n+966501234567,\xe3\xcd\xe3\xcf\n"))
		p.has(t, 200, "محمد", "windows-1256")
		_, p = b.follow(b.post(where, "encoding", "windows-1252"))
		p.has(t, 200, "ãÍãÏ")
		where, p = b.follow(b.send(audience+"/import", "x.csv", "a,phone number;b\n+966501234567,1;2\n"))
		look(t, where, lang, p.has(t, 200, sentence(lang, "csv.delimiter")))
		_, p = b.follow(b.post(where, "delimiter", "comma"))
		p.has(t, 200, "phone number;b")
	}
	b.do(http.MethodPost, audience+"/import", map[string][]string{"file": {"x"}}).has(t, 400)
}

// What one may not see or do is explained, and other workspaces' things are not there.
func TestPeopleOfOthersAndOtherRoles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := fixture.Audience(t, r.pool, r.vault, r.tenant, 2)
	imp := fixture.Import(t, r.pool, r.vault, r.tenant, a, "phone,name\n12,x\n", contacts.Settings{})
	other := fixture.Workspace(t, r.pool, r.vault)
	theirs := fixture.Audience(t, r.pool, r.vault, other, 1)
	theirImport := fixture.Import(t, r.pool, r.vault, other, theirs, "phone,name\n+966501234567,Hidden\n", contacts.Settings{})
	person, stranger := r.person(t, r.tenant, "Person 0"), r.person(t, other, "Hidden")
	owner, viewer := r.as(t, accounts.Owner), r.as(t, accounts.Viewer)
	draft, _ := owner.follow(owner.send("/audiences/"+a.String()+"/import", "x.csv", people))
	for _, path := range []string{"/audiences/" + theirs.String(), "/audiences/" + theirs.String() + "/delete", "/audiences/" + theirs.String() + "/import",
		"/audiences/" + theirs.String() + "/imports/" + theirImport.String(), "/audiences/" + a.String() + "/imports/" + theirImport.String(),
		"/audiences/" + theirs.String() + "/imports/" + imp.String(), "/audiences/" + a.String() + "/imports/" + theirImport.String() + "/rejects.csv",
		strings.Replace(draft, a.String(), theirs.String(), 1), "/contacts/" + stranger, "/contacts/" + stranger + "/opt-out", "/contacts?audience=" + theirs.String(),
		"/audiences/nothing", "/contacts/nothing"} {
		look(t, path, "en", owner.get(path).has(t, 404))
	}
	owner.post("/contacts/"+stranger+"/opt-out", "method", "other", "source", "x").has(t, 404)
	owner.send("/audiences/"+theirs.String()+"/import", "x.csv", people).has(t, 404)
	for _, path := range []string{"/audiences/new", "/audiences/" + a.String() + "/delete", "/audiences/" + a.String() + "/import", draft, draft + "/consent", draft + "/check",
		"/audiences/" + a.String() + "/imports/" + imp.String() + "/rejects.csv", "/contacts/" + person + "/opt-out", "/contacts/" + person + "/opt-in"} {
		look(t, path, "en", viewer.get(path).has(t, 403, "Your role does not allow this."))
	}
	for _, path := range []string{"/audiences", "/audiences/" + a.String(), "/audiences/" + a.String() + "/imports/" + imp.String(), "/contacts", "/contacts/" + person} {
		p := viewer.get(path).has(t, 200)
		look(t, path, "en", p)
		if strings.Contains(p.Body, fixture.Phone(0)) {
			t.Errorf("%s shows a whole number to a viewer", path)
		}
	}
	viewer.get("/contacts").has(t, 200, errs.MaskPhone(fixture.Phone(0)))
	owner.get("/contacts").has(t, 200, fixture.Phone(0))
}

// person finds somebody of a workspace by name.
func (r *rig) person(t *testing.T, tenant fixture.Tenant, name string) (contact string) {
	t.Helper()
	fixture.In(t, r.pool, tenant.Workspace, func(tx pgx.Tx) error {
		var c id.Contact
		err := tx.QueryRow(t.Context(), `select id from contact where name = $1`, name).Scan(&c)
		contact = c.String()
		return err
	})
	return contact
}

// Somebody opts out and in again, by forms.
func TestConsentByPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := fixture.Audience(t, r.pool, r.vault, r.tenant, 3)
	b := r.as(t, accounts.Marketer)
	person := "/contacts/" + r.person(t, r.tenant, "Person 1")
	for _, lang := range []string{"en", "ar"} {
		r.speak(t, b, lang)
		for _, path := range []string{person, person + "/opt-out", person + "/opt-in", "/contacts?q=person", "/contacts?q=nobody+like+this", "/contacts?audience=" + a.String()} {
			look(t, path, lang, b.get(path).has(t, 200))
		}
		b.post(person+"/opt-out", "purposes", "all", "source", "called us").has(t, 422, `id="method-error"`, `value="called us"`)
		b.post(person+"/opt-out", "purposes", "all", "method", "keyword", "source", "x").has(t, 422, `id="method-error"`)
		b.post(person+"/opt-out", "purposes", "all", "method", "phone_call", "source", "called us").to(t, person)
		look(t, person, lang, b.get(person).has(t, 200, "called us", "chip danger"))
		b.post(person+"/opt-in", "purposes", "marketing", "method", "paper", "date", "2030-01-01", "source", "shop", "wording", "Acme writes on WhatsApp", "business_name", "Acme").has(t, 422, `id="date-error"`)
		b.post(person+"/opt-in", "purposes", "marketing", "method", "paper", "date", "2026-01-02", "source", "", "wording", "", "business_name", "").has(t, 422, `id="source-error"`)
		p := b.post(person+"/opt-in", "purposes", "marketing", "method", "paper", "date", "2026-01-02", "time", "10:30", "source", "shop 12", "evidence", "scan 7",
			"wording", "Acme writes on WhatsApp", "business_name", "Acme")
		p.to(t, person)
		b.get(person).has(t, 200, "shop 12", "scan 7", "Acme writes on WhatsApp")
	}
	b.get("/contacts?q="+strings.Repeat("x", 300)).has(t, 422)
}

func TestDeleteAnAudience(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Admin)
	desk := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	desk.AddPeople(t, desk.Audience, 2)
	desk.Campaign(t, "Spring")
	used := "/audiences/" + desk.Audience.String()
	b.post(used+"/delete").has(t, 409, "Spring")
	free := "/audiences/" + fixture.Audience(t, r.pool, r.vault, r.tenant, 2).String()
	look(t, free, "en", b.get(free+"/delete").has(t, 200, `class="danger"`))
	b.post(free+"/delete").to(t, "/audiences")
	b.get(free).has(t, 404)
}

// A page costs the same number of statements whatever is on it.
func TestStatementsOfThePagesOfPeople(t *testing.T) {
	t.Parallel()
	r, q := counted(t)
	desk := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	desk.AddPeople(t, desk.Audience, 60)
	var made campaigns.Launched
	for i := range 3 {
		made = desk.Launch(t, fmt.Sprintf("Campaign %d", i))
		fixture.Audience(t, r.pool, r.vault, r.tenant, 0)
	}
	_ = made
	a := fixture.Audience(t, r.pool, r.vault, r.tenant, 60)
	imp := fixture.Import(t, r.pool, r.vault, r.tenant, a, "phone,city\n12,x\n13,y\n+966501234567,z\n", contacts.Settings{})
	b := r.as(t, accounts.Owner)
	draft, _ := b.follow(b.send("/audiences/"+a.String()+"/import", "x.csv", people))
	b.post(draft, "column0", "name", "column1", "phone", "column2", "=", "column3", "-", "default_country", "SA", "mode", "both")
	person := "/contacts/" + r.person(t, r.tenant, "Person 1")
	for _, c := range []struct {
		path string
		most int
	}{
		{"/audiences", 7}, {"/audiences/new", 4}, {"/audiences/" + a.String(), 9}, {"/audiences/" + a.String() + "/delete", 7}, {"/audiences/" + a.String() + "/import", 6},
		{"/audiences/" + a.String() + "/imports/" + imp.String(), 9}, {draft, 12}, {draft + "/consent", 12}, {draft + "/check", 25},
		{"/contacts", 6}, {"/contacts?limit=25&q=person", 6}, {"/contacts?q=0501234567&audience=" + a.String(), 7}, {person, 12}, {person + "/opt-out", 8}, {person + "/opt-in", 8},
	} {
		b.get(c.path).has(t, 200) // what is read once
		before := q.n.Load()
		b.get(c.path).has(t, 200)
		if n := int(q.n.Load() - before); n > c.most {
			t.Errorf("%s: %d statements, at most %d", c.path, n, c.most)
		}
	}
}
