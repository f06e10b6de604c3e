package api_test

import (
	"net/http"
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/fixture"
)

// Every answer under /v1 says the quotas and what is left, whoever asks.
func TestEveryAnswerSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) { c.KeyRate, c.WorkspaceRate = 40, 60 })
	known, unknown := `"key";q=40;w=1, "workspace";q=60;w=1`, `"address";q=40;w=1`
	cross := []with{header("Sec-Fetch-Site", "cross-site"), asSession("x")}
	for _, c := range []struct {
		method, path string
		status       int
		policy       string
		with         []with
	}{
		{"GET", "/v1/me", 200, known, nil},
		{"GET", "/v1/campaigns", 200, known, nil},
		{"GET", "/v1/campaigns/cmp_x", 404, known, nil},
		{"GET", "/v1/api-keys", 403, known, nil},
		{"GET", "/v1/me", 401, unknown, []with{asNobody()}},
		{"GET", "/v1/me", 401, unknown, []with{asKey("bk_live_wrong")}},
		{"POST", "/v1/sessions", 400, unknown, []with{asNobody()}},
		{"GET", "/v1/nothing", 404, unknown, nil},
		{"PUT", "/v1/me", 405, unknown, nil},
		{"GET", "/v1/me?api_key=x", 400, unknown, nil},
		{"POST", "/v1/audiences", 403, unknown, cross},
	} {
		a := r.call(t, c.method, c.path, nil, c.with...)
		left := a.Header.Get("RateLimit")
		if a.Status != c.status || a.Header.Get("RateLimit-Policy") != c.policy || !strings.HasSuffix(left, ";t=1") || !strings.Contains(left, ";r=") {
			t.Errorf("%s %s: %d, policy %q, left %q", c.method, c.path, a.Status, a.Header.Get("RateLimit-Policy"), left)
		}
	}
	if a := r.call(t, "GET", "/healthz", nil); a.Header.Get("RateLimit") != "" {
		t.Errorf("/healthz has a quota: %v", a.Header)
	}
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) { c.KeyRate, c.WorkspaceRate = 1, 2 })
	for name, who := range map[string]with{"key": asKey(r.key), "address": asNobody()} {
		for i := 0; ; i++ {
			a := r.call(t, "GET", "/v1/me", nil, who)
			if a.Status != http.StatusTooManyRequests {
				if i > 50 {
					t.Fatalf("%s: never too many", name)
				}
				continue
			}
			p := a.refused(t, 429, "rate.limited")
			if a.Header.Get("Retry-After") != "1" || p.RetryAfter != 1 || a.Header.Get("RateLimit") != `"`+name+`";r=0;t=1` || a.Header.Get("RateLimit-Policy") == "" {
				t.Errorf("%s: headers %v", name, a.Header)
			}
			if p.Type != "https://iana.org/assignments/http-problem-types#quota-exceeded" || len(p.Violated) == 0 || p.Violated[0] != name {
				t.Errorf("%s: %s %v", name, p.Type, p.Violated)
			}
			break
		}
	}
}

// What can be edited has an ETag where it is read, which the change needs and
// gives anew.
func TestVersions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := asSession(r.session(t, accounts.Owner))
	object := func(kind string) string { return fixture.Object(t, r.pool, r.vault, r.tenant, kind) }
	number := "/v1/numbers/" + object("number")
	for _, c := range []struct {
		read, method, change string
		first, second        any
		needed               bool
	}{
		{"/v1/workspace", "PATCH", "/v1/workspace", `{"undo_seconds":7}`, `{"undo_seconds":8}`, true},
		{"/v1/members/" + object("user"), "PATCH", "", `{"role":"admin"}`, `{"role":"marketer"}`, true},
		{"/v1/campaigns/" + object("campaign"), "PATCH", "", `{"per_minute":60}`, `{"per_minute":90}`, true},
		{number, "PUT", number + "/token", `{"token":"EAA0123456789"}`, `{"token":"EAA0123456780"}`, false},
	} {
		if c.change == "" {
			c.change = c.read
		}
		tag := r.call(t, "GET", c.read, nil, owner).ok(t, 200).Header.Get("ETag")
		if tag == "" || tag != r.call(t, "GET", c.read, nil, owner).Header.Get("ETag") {
			t.Fatalf("%s: ETag %q", c.read, tag)
		}
		if c.needed {
			r.call(t, c.method, c.change, c.first, owner).refused(t, 428, "version.required")
		}
		r.call(t, c.method, c.change, c.first, owner, header("If-Match", `"other"`)).refused(t, 412, "version.stale")
		next := r.call(t, c.method, c.change, c.first, owner, header("If-Match", tag)).ok(t, 200).Header.Get("ETag")
		if next == "" || next == tag || next != r.call(t, "GET", c.read, nil, owner).Header.Get("ETag") {
			t.Errorf("%s: after a change the ETag is %q, it was %q", c.read, next, tag)
		}
		r.call(t, c.method, c.change, c.second, owner, header("If-Match", tag)).refused(t, 412, "version.stale")
		r.call(t, c.method, c.change, c.second, owner, header("If-Match", "W/"+next)).ok(t, 200)
	}
}
