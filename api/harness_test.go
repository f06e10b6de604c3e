package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

// rig is a running server with one tenant, and a key of it with every scope.
type rig struct {
	pool   *pg.Pool
	vault  *accounts.Vault
	hasher *accounts.Hasher
	server *api.Server
	url    string
	tenant fixture.Tenant
	key    string
}

// newRig starts a server on a database of its own; change may alter its
// configuration.
func newRig(t *testing.T, change ...func(*api.Config)) *rig {
	t.Helper()
	r := &rig{pool: pgtest.New(t)}
	r.vault, r.hasher = fixture.Vault(t, r.pool), fixture.Hasher(t)
	c := api.Config{Pool: r.pool, Vault: r.vault, Hasher: r.hasher, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Probe: metaAgrees, KeyRate: 100_000, WorkspaceRate: 100_000}
	for _, f := range change {
		f(&c)
	}
	return r.start(t, func() (*api.Server, error) { return api.New(c) })
}

// start builds the server, listens, and makes the tenant.
func (r *rig) start(t *testing.T, build func() (*api.Server, error)) *rig {
	t.Helper()
	var err error
	if r.server, err = build(); err != nil {
		t.Fatalf("build the server: %v", err)
	}
	srv := httptest.NewServer(r.server.Handler())
	t.Cleanup(srv.Close)
	r.url = srv.URL
	r.tenant = fixture.Workspace(t, r.pool, r.vault)
	r.key = fixture.Key(t, r.pool, r.tenant, accounts.ScopeNames()...)
	return r
}

// answer is what a request got.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// with changes a request before it is sent.
type with func(*http.Request)

// asKey sends an API key, asSession a session's cookie; asNobody nothing.
func asKey(key string) with { return header("Authorization", "Bearer "+key) }
func asSession(token string) with {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("Cookie", "__Host-session="+token)
	}
}
func asNobody() with { return func(r *http.Request) { r.Header.Del("Authorization") } }

func header(name, value string) with {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// call sends a request with the rig's own key. body is a string as it is, nil,
// or a value to write as JSON.
func (r *rig) call(t testing.TB, method, path string, body any, changes ...with) answer {
	t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case io.Reader:
		reader = b
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, change := range changes {
		change(req)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	a := answer{Status: res.StatusCode, Header: res.Header, Body: b}
	newContract(t).judge(t, method, path, a)
	return a
}

// into reads the body as JSON.
func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("read %s: %v", a.Body, err)
	}
}

// ok fails the test on another status.
func (a answer) ok(t testing.TB, status int) answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// refused fails the test unless the answer is that problem, and returns it.
func (a answer) refused(t testing.TB, status int, code string) errs.Problem {
	t.Helper()
	var p errs.Problem
	if a.Status != status || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("status %d (%s), want %d %s: %s", a.Status, a.Header.Get("Content-Type"), status, code, a.Body)
	}
	a.into(t, &p)
	if p.Code != code || p.Status != status || p.RequestID == "" || p.RequestID != a.Header.Get("Request-Id") {
		t.Fatalf("problem %+v, want %d %s", p, status, code)
	}
	return p
}

// encode writes a value as JSON text.
func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
