package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/web"
	"bareed/web/ui"
)

// rig is a running server with one tenant.
type rig struct {
	pool   *pg.Pool
	vault  *accounts.Vault
	hasher *accounts.Hasher
	url    string
	tenant fixture.Tenant
}

// parsed are the pages, read once for all tests: nothing in them is a test's own.
var parsed = sync.OnceValues(func() (*ui.UI, error) { return web.NewUI(nil) })

func pages(t *testing.T) *ui.UI {
	t.Helper()
	u, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{pool: pgtest.New(t)}
	r.vault, r.hasher = fixture.Vault(t, r.pool), fixture.Hasher(t)
	s, err := web.New(web.Config{UI: pages(t), Pool: r.pool, Vault: r.vault, Hasher: r.hasher})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	r.tenant = fixture.Workspace(t, r.pool, r.vault)
	return r
}

// browser is a person with cookies who follows no redirect by itself.
type browser struct {
	t      *testing.T
	rig    *rig
	client *http.Client
	lang   string
}

func (r *rig) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, rig: r, lang: "en", client: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a browser in which a new user of that role has signed in.
func (r *rig) as(t *testing.T, role accounts.Role) *browser {
	t.Helper()
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, role)
	b := r.browser(t)
	b.signIn(email)
	return b
}

func (b *browser) signIn(email string) page {
	b.t.Helper()
	p := b.post("/sign-in", "email", email, "password", fixture.Password)
	if p.Status != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d %s", p.Status, p.Body)
	}
	return p
}

// page is what a request got.
type page struct {
	Status int
	Header http.Header
	Body   string
}

func (b *browser) do(method, path string, form url.Values) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.rig.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", b.lang)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return page{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(path string) page { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, kv ...string) page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		form.Add(kv[i], kv[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

// has fails the test unless the page has that status and all the texts.
func (p page) has(t *testing.T, status int, texts ...string) page {
	t.Helper()
	if p.Status != status {
		t.Fatalf("status %d, want %d: %s", p.Status, status, p.Body)
	}
	for _, s := range texts {
		if !strings.Contains(p.Body, s) {
			t.Errorf("the page lacks %q:\n%s", s, p.Body)
		}
	}
	return p
}

// to fails the test unless the answer leads there.
func (p page) to(t *testing.T, where string) page {
	t.Helper()
	if p.Status != http.StatusSeeOther || p.Header.Get("Location") != where {
		t.Fatalf("%d to %q, want %q: %s", p.Status, p.Header.Get("Location"), where, p.Body)
	}
	return p
}

func join(t *testing.T, r *rig, tenant fixture.Tenant, user id.User, role accounts.Role) {
	t.Helper()
	fixture.In(t, r.pool, tenant.Workspace, func(tx pgx.Tx) error {
		return accounts.Join(t.Context(), tx, accounts.System(tenant.Workspace, "test"), user, role)
	})
}
