package front_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/web/front"
	"bareed/web/ui"
)

const layout = `{{define "layout"}}<html lang="{{.Lang}}">{{template "main" .}}</html>{{end}}`

func kit(t *testing.T) *ui.UI {
	t.Helper()
	text := fstest.MapFS{}
	for _, lang := range ui.Languages() {
		text[lang+"/sign_in.json"] = &fstest.MapFile{Data: []byte(`{"sign_in.ended": "x"}`)}
	}
	u, err := ui.New(ui.Config{Text: text, Pages: fstest.MapFS{
		"parts/x.html": {Data: []byte(layout)},
		"fault.html":   {Data: []byte(`{{define "main"}}{{.Data.Kind}}|{{.Data.Code}}|{{.RequestID}}|{{.Signed}}{{end}}`)},
		"broken.html":  {Data: []byte(`{{define "main"}}half {{.Data.None}}{{end}}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// table is the rows of the tests and what they do.
var table = map[string]front.Handler{
	"GET /panic":  func(*front.Call) error { panic("a secret of the inside") },
	"GET /error":  func(*front.Call) error { return errors.New("a secret of the inside") },
	"GET /away":   func(*front.Call) error { return &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED} },
	"GET /broken": func(c *front.Call) error { return c.Render("broken", struct{}{}) },
	"GET /late":   func(*front.Call) error { return context.DeadlineExceeded },
	"GET /rule":   func(*front.Call) error { return errs.New("name.taken") },
	"GET /open":   func(c *front.Call) error { _, err := io.WriteString(c.W, "open"); return err },
	"POST /write": func(c *front.Call) error { _, err := io.WriteString(c.W, "written"); return err },
}

type rig struct {
	pool   *pg.Pool
	tenant fixture.Tenant
	url    string
	token  string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{pool: pgtest.New(t)}
	vault, hasher := fixture.Vault(t, r.pool), fixture.Hasher(t)
	var rows []front.Route
	for key := range table {
		rows = append(rows, front.Route{Route: key, Action: accounts.WriteCampaigns, Open: key == "GET /open"})
	}
	f, err := front.New(front.Config{Pool: r.pool, Vault: vault, UI: kit(t), Routes: rows})
	if err != nil {
		t.Fatal(err)
	}
	for key, h := range table {
		f.Handle(key, h)
	}
	if err := f.Faults(); err != nil {
		t.Fatal(err)
	}
	h, err := f.Handler()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	r.url, r.tenant = srv.URL, fixture.Workspace(t, r.pool, vault)
	_, email := fixture.User(t, r.pool, hasher, r.tenant, accounts.Owner)
	r.token = fixture.Session(t, r.pool, hasher, email)
	return r
}

func (r *rig) do(t *testing.T, method, path string, headers ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", "session="+r.token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

func TestFaultsShowNothingOfTheInside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/panic": {500, "broken|internal|"}, "/error": {500, "broken|internal|"}, "/broken": {500, "broken|internal|"},
		"/late": {503, "broken|timeout|"}, "/away": {503, "broken|storage.unavailable|"}, "/rule": {409, "refused|name.taken|"}, "/none": {404, "missing|not_found|"},
	} {
		status, body, h := r.do(t, http.MethodGet, path)
		if status != want.status || !strings.Contains(body, want.says+h.Get("Request-Id")) || strings.Contains(body, "secret") || strings.Contains(body, "half") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body, h := r.do(t, http.MethodGet, "/rule", "Accept", "text/event-stream"); status != 409 || strings.Contains(body, "<") || h.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("a stream gets %d %s", status, body)
	}
}

func TestASuspendedWorkspaceIsOnlyRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := pgtest.Owner(t, r.pool).Exec(t.Context(), `update workspace set state = 'suspended'`); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := r.do(t, http.MethodGet, "/open"); status != 200 || body != "open" {
		t.Errorf("%d %s", status, body)
	}
	if status, body, _ := r.do(t, http.MethodPost, "/write"); status != 423 || !strings.Contains(body, "workspace.suspended") {
		t.Errorf("%d %s", status, body)
	}
}

func TestWithoutADatabase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pool.Close()
	status, body, _ := r.do(t, http.MethodGet, "/open")
	if status != 500 || !strings.Contains(body, "broken|internal|") {
		t.Errorf("%d %s", status, body)
	}
}

func TestTwoCookiesOfOneNameAreNoSession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, _, h := r.do(t, http.MethodGet, "/open", "Cookie", "session="+r.token+"; session=other")
	if status != 303 || h.Get("Location") != "/sign-in?next=%2Fopen" {
		t.Errorf("%d to %s", status, h.Get("Location"))
	}
	if status, _, _ := r.do(t, http.MethodGet, "/open", "Cookie", "__Host-session="+r.token); status != 200 {
		t.Errorf("the API's cookie: %d", status)
	}
}

func TestTheTableAndTheHandlersAgree(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	h := func(*front.Call) error { return nil }
	f, err := front.New(front.Config{Pool: pool, Vault: fixture.Vault(t, pool), UI: kit(t), Routes: []front.Route{
		{Route: "GET /a", Action: accounts.ReadSelf}, {Route: "GET /b", Action: accounts.ReadSelf}, {Route: "GET /d", Action: "no.action"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	f.Handle("GET /a", h)
	f.Handle("GET /a", h)
	f.Handle("GET /c", h)
	err = f.Faults()
	for _, want := range []string{`"GET /a" is handled twice`, `"GET /c" has no row`, `row "GET /b" has no handler`, `"GET /d" names no action`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}
