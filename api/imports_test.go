package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// part is one part of a form: a file when it has a file name.
type part struct{ name, file, value string }

func form(parts ...part) (string, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		var dst io.Writer
		if p.file != "" {
			dst, _ = w.CreateFormFile(p.name, p.file)
		} else {
			dst, _ = w.CreateFormField(p.name)
		}
		_, _ = io.WriteString(dst, p.value)
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func (r *rig) audience(t testing.TB, name string) string {
	t.Helper()
	var a contacts.Audience
	r.call(t, "POST", "/v1/audiences", map[string]any{"name": name}).ok(t, 201).into(t, &a)
	return a.ID.String()
}

type uploadedImport struct {
	Import struct {
		ID    string `json:"id"`
		State string `json:"state"`
		File  string `json:"file"`
		Rows  int64  `json:"rows"`
	} `json:"import"`
	Job struct {
		ID       string  `json:"id"`
		Kind     string  `json:"kind"`
		State    string  `json:"state"`
		Total    int64   `json:"total"`
		Progress float64 `json:"progress"`
	} `json:"job"`
}

func (r *rig) post(t testing.TB, audience, query, body, kind string, changes ...with) answer {
	t.Helper()
	changes = append([]with{header("Content-Type", kind), header("Idempotency-Key", id.New[id.Request]().String())}, changes...)
	return r.call(t, "POST", "/v1/audiences/"+audience+"/imports"+query, body, changes...)
}

func TestImportByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	audience := r.audience(t, "List")
	body, kind := form(part{"settings", "", `{"default_country":"SA","consent":{"covers":"rows","source":"shop","wording":{"version":"1","text":"Acme on WhatsApp","business_name":"Acme"}}}`},
		part{"file", "../list.csv", "phone,name,opt_in\n0501234567,Sara,yes\n12,,\n"})
	a := r.post(t, audience, "", body, kind).ok(t, 202)
	var up uploadedImport
	a.into(t, &up)
	if a.Header.Get("Location") != "/v1/jobs/"+up.Job.ID || up.Job.ID[4:] != up.Import.ID[4:] || up.Job.Kind != "import" || up.Job.Total != 2 || up.Import.File != "list.csv" {
		t.Fatalf("accepted: %s, %s", a.Header.Get("Location"), a.Body)
	}
	imp, err := id.Parse[id.Import](up.Import.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := fixture.Importer(r.pool, r.vault).Run(t.Context(), r.tenant.Workspace, imp); err != nil {
		t.Fatal(err)
	}
	r.call(t, "GET", "/v1/jobs/"+up.Job.ID, nil).ok(t, 200).into(t, &up.Job)
	if up.Job.State != "completed" || up.Job.Progress != 1 {
		t.Fatalf("job: %+v", up.Job)
	}
	var got contacts.Import
	r.call(t, "GET", "/v1/imports/"+up.Import.ID, nil).ok(t, 200).into(t, &got)
	if got.Created != 1 || got.Rejected != 1 || got.OptedIn != 1 {
		t.Fatalf("import: %+v", got)
	}
	rejects := string(r.call(t, "GET", "/v1/imports/"+up.Import.ID+"/rejects", nil, header("Accept-Language", "ar")).ok(t, 200).Body)
	if !strings.Contains(rejects, `"phone.invalid"`) || !strings.Contains(rejects, "رقم") {
		t.Fatalf("rejects: %s", rejects)
	}
	file := r.call(t, "GET", "/v1/imports/"+up.Import.ID+"/rejects.csv", nil).ok(t, 200)
	if !strings.Contains(file.Header.Get("Content-Disposition"), "rejects.csv") || !strings.Contains(string(file.Body), "phone.invalid") {
		t.Fatalf("rejects.csv: %v %s", file.Header, file.Body)
	}
	var audienceNow contacts.Audience
	r.call(t, "GET", "/v1/audiences/"+audience, nil).ok(t, 200).into(t, &audienceNow)
	if audienceNow.Members != 1 || audienceNow.OptedIn["marketing"] != 1 {
		t.Fatalf("audience: %+v", audienceNow)
	}
	r.call(t, "GET", "/v1/audiences/"+audience+"/imports", nil).ok(t, 200)
	again := r.post(t, audience, "", body, kind).refused(t, 409, "import.duplicate")
	if !strings.Contains(again.Detail, up.Import.ID) {
		t.Fatalf("duplicate: %+v", again)
	}
	r.post(t, audience, "?again=true&default_country=SA&settings="+`%7B%22consent%22%3A%7B%22covers%22%3A%22none%22%7D%7D`, "phone,name,opt_in\n0501234567,Sara,yes\n12,,\n", "text/csv").ok(t, 202)
}

func TestUploadFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	audience := r.audience(t, "List")
	file := part{"file", "a.csv", "phone\n+966501234567\n"}
	many := make([]part, 0, 10000)
	for range 10000 {
		many = append(many, part{name: "mode", value: "both"})
	}
	for _, c := range []struct {
		name   string
		parts  []part
		status int
		code   string
	}{
		{"C23 no file", []part{{"mode", "", "both"}}, 400, "multipart.no_file"},
		{"C23 two files", []part{file, file}, 400, "multipart.one_file_only"},
		{"C23 too many parts", many, 400, "multipart.too_many_parts"},
		{"settings behind the file", []part{file, {"settings", "", "{}"}}, 400, "import.settings_late"},
		{"unknown setting", []part{{"settings", "", `{"modde":"both"}`}, file}, 422, "json.unknown_field"},
		{"broken settings", []part{{"settings", "", `{"mode":`}, file}, 400, "json.syntax"},
		{"unknown field", []part{{"moode", "", "x"}, file}, 422, "param.unknown"},
		{"C1", []part{{"file", "a.csv", ""}}, 422, "csv.empty"},
		{"C16", []part{{"file", "a.csv", "PK\x03\x04[Content_Types].xml"}}, 415, "csv.is_spreadsheet"},
		{"C17", []part{{"file", "a.csv.gz", "\x1f\x8b\x08"}}, 415, "upload.compressed"},
	} {
		body, kind := form(c.parts...)
		a := r.post(t, audience, "", body, kind)
		if a.Status != c.status {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
			continue
		}
		a.refused(t, c.status, c.code)
	}
	body, kind := form(file)
	r.post(t, audience, "", body[:len(body)-30], kind).refused(t, 400, "multipart.syntax")
	r.post(t, audience, "", "phone\n+966501234567\n", "application/json").refused(t, 415, "upload.content_type")
	r.post(t, audience, "?nope=1", "phone\n+966501234567\n", "text/csv").refused(t, 422, "param.unknown")
	r.post(t, id.New[id.Audience]().String(), "", "phone\n+966501234567\n", "text/csv").refused(t, 404, "not_found")
	r.post(t, audience, "", "phone\n+966501234567\n", "text/csv", func(q *http.Request) { q.Header.Del("Idempotency-Key") }).refused(t, 400, "idempotency.key")
	p := r.post(t, audience, "?strict=true", "phone\n+966501234567\n123\n", "text/csv").refused(t, 422, "import.strict")
	if len(p.Errors) != 1 || p.Errors[0].Row != 2 || p.Errors[0].Line != 3 || p.Errors[0].Column != "phone" || p.Errors[0].Code != "phone.invalid" {
		t.Fatalf("strict: %+v", p)
	}
}

// C20: what is announced too large is refused unread.
func TestUploadAnnouncedTooLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	audience := r.audience(t, "List")
	pr, pw := io.Pipe()
	go func() {
		_, _ = io.WriteString(pw, "phone\n")
	}()
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/v1/audiences/"+audience+"/imports", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 300 << 20
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Content-Type", "text/csv")
	req.Header.Set("Idempotency-Key", "large")
	res, err := http.DefaultClient.Do(req)
	_ = pw.CloseWithError(io.ErrClosedPipe)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 413 || !strings.Contains(string(b), "upload.too_large") {
		t.Fatalf("%d %s", res.StatusCode, b)
	}
}

func TestAudiencesByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct{ name, code string }{
		{"", "field.required"}, {" \u200b\u200d ", "field.required"}, {strings.Repeat("x", 10000), "field.too_long"}, {"a\x07b", "field.characters"}, {"a\u202eb", "field.characters"},
	} {
		p := r.call(t, "POST", "/v1/audiences", map[string]any{"name": c.name})
		if p.Status != 422 || !strings.Contains(string(p.Body), c.code) {
			t.Errorf("J11 %.20q: %d %s", c.name, p.Status, p.Body)
		}
	}
	first := r.audience(t, "First")
	r.call(t, "POST", "/v1/audiences", map[string]any{"name": "First"}).refused(t, 409, "name.taken")
	for i := range 3 {
		r.audience(t, fmt.Sprintf("More %d", i))
	}
	var page struct {
		Data       []contacts.Audience `json:"data"`
		NextCursor string              `json:"next_cursor"`
		HasMore    bool                `json:"has_more"`
	}
	r.call(t, "GET", "/v1/audiences?limit=3", nil).ok(t, 200).into(t, &page)
	if len(page.Data) != 3 || !page.HasMore {
		t.Fatalf("page: %+v", page)
	}
	r.call(t, "GET", "/v1/audiences?limit=3&cursor="+page.NextCursor, nil).ok(t, 200).into(t, &page)
	if len(page.Data) != 1 || page.Data[0].ID.String() != first {
		t.Fatalf("second page: %+v", page)
	}
	r.call(t, "DELETE", "/v1/audiences/"+first, nil).ok(t, 204)
	r.call(t, "GET", "/v1/audiences/"+first, nil).refused(t, 404, "not_found")
	r.audience(t, "First")
}

func TestConsentsByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := map[string]any{"action": "opt_in", "phone": "0501234567", "country": "SA", "source": "https://acme.example", "method": "web_form",
		"wording": map[string]any{"version": "1", "text": "Acme on WhatsApp", "business_name": "Acme"}}
	var out struct {
		Contact struct {
			ID          string                `json:"id"`
			Phone       string                `json:"phone"`
			Permissions []consents.Permission `json:"permissions"`
		} `json:"contact"`
	}
	r.call(t, "POST", "/v1/consents", good).ok(t, 201).into(t, &out)
	if len(out.Contact.Permissions) != 1 || !out.Contact.Permissions[0].Granted || out.Contact.Phone != "+966501234567" {
		t.Fatalf("opt-in: %+v", out)
	}
	r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_in", "phone": "0501234567"}).refused(t, 422, "phone.no_country")
	r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_in", "phone": "+966501234567"}).refused(t, 422, "consent.source_missing")
	r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_in", "phone": "+966501234567", "method": "keyword"}).refused(t, 422, "consent.method")
	r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_out"}).refused(t, 422, "field.required")
	r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_out", "contact": id.New[id.Contact]().String()}).refused(t, 422, "ref.not_found")
	r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_out", "bsuid": "SA.1349"}).ok(t, 201)
	r.call(t, "POST", "/v1/contacts/"+out.Contact.ID+"/opt-out", map[string]any{}).ok(t, 200).into(t, &out.Contact)
	if len(out.Contact.Permissions) != 3 || out.Contact.Permissions[1].Granted {
		t.Fatalf("opt-out: %+v", out.Contact)
	}
	var lines struct{ Data []consents.Line }
	r.call(t, "GET", "/v1/contacts/"+out.Contact.ID+"/consents", nil).ok(t, 200).into(t, &lines)
	if len(lines.Data) != 4 || lines.Data[3].Action != "opt_in" || lines.Data[3].Wording == nil {
		t.Fatalf("history: %+v", lines)
	}
	viewer := asSession(r.session(t, accounts.Viewer))
	masked := string(r.call(t, "GET", "/v1/contacts", nil, viewer).ok(t, 200).Body)
	if strings.Contains(masked, "501234567") || !strings.Contains(masked, "+9665") {
		t.Fatalf("a viewer sees %s", masked)
	}
	r.call(t, "GET", "/v1/contacts?audience="+id.New[id.Audience]().String(), nil).refused(t, 404, "not_found")
}

// J30: an audience that a campaign still needs stays, and the refusal names it.
func TestAudienceInUse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	campaign := fixture.Object(t, r.pool, r.vault, r.tenant, "campaign")
	var audience id.Audience
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select audience_id from campaign_audience limit 1`).Scan(&audience)
	})
	p := r.call(t, "DELETE", "/v1/audiences/"+audience.String(), nil).refused(t, 409, "resource.in_use")
	if !strings.Contains(p.Detail, campaign) {
		t.Fatalf("the refusal does not name %s: %s", campaign, p.Detail)
	}
}
