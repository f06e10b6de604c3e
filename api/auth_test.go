package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	revoked := fixture.Key(t, r.pool, r.tenant, "reports:read")
	who, err := accounts.FindKey(t.Context(), r.pool, revoked)
	if err != nil {
		t.Fatal(err)
	}
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return accounts.RevokeKey(t.Context(), tx, r.tenant.Actor, who.Key)
	})
	good := r.key
	for name, c := range map[string]struct {
		change with
		code   string
	}{
		"A1 nothing":       {asNobody(), "auth.missing"},
		"A2 revoked":       {asKey(revoked), "auth.key_revoked"},
		"A3 malformed":     {asKey("bk_live_x"), "auth.key"},
		"A3 10 KB":         {asKey(strings.Repeat("a", 10_000)), "auth.key"},
		"A3 basic":         {header("Authorization", "Basic "+good), "auth.key"},
		"A3 no scheme":     {header("Authorization", good), "auth.key"},
		"A3 twice":         {func(q *http.Request) { q.Header.Add("Authorization", "Bearer "+good) }, "auth.key"},
		"unknown":          {asKey("bk_live_" + strings.Repeat("A", 43)), "auth.key"},
		"cookie malformed": {asSession("x"), "auth.session"},
		"cookie unknown":   {asSession(strings.Repeat("A", 43)), "auth.session"},
		"key as a cookie":  {asSession(good), "auth.session"},
		"two cookies": {func(q *http.Request) {
			q.Header.Del("Authorization")
			q.Header.Set("Cookie", "__Host-session="+strings.Repeat("A", 43)+"; __Host-session="+strings.Repeat("B", 43))
		}, "auth.session"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := r.call(t, "GET", "/v1/me", nil, c.change)
			a.refused(t, 401, c.code)
			if a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
	r.call(t, "GET", "/v1/me", nil, header("Authorization", "bearer "+good)).ok(t, 200)
}

func TestKeyInURL(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/v1/me?api_key=" + r.key, "/v1/me?x=" + r.key, "/v1/me?api_key=abc", "/v1/api-keys/" + r.key, "/healthz?token=" + r.key} {
		method := "GET"
		if strings.Contains(path, "api-keys/") {
			method = "DELETE"
		}
		a := r.call(t, method, path, nil)
		p := a.refused(t, 400, "auth.key_in_url")
		if strings.Contains(string(a.Body), r.key) && !strings.Contains(path, "api-keys/") || strings.Contains(p.Detail, "bk_") {
			t.Errorf("%s: the key is repeated: %s", path, a.Body)
		}
	}
	var flagged int
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from audit where action = 'key.exposed'`).Scan(&flagged)
	})
	if flagged != 3 {
		t.Errorf("%d times on record, want 3", flagged)
	}
}

func TestSignInByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Marketer)
	body := map[string]any{"email": email, "password": fixture.Password}
	preset := strings.Repeat("P", 43)
	a := r.call(t, "POST", "/v1/sessions", body, asSession(preset)).ok(t, 201)
	cookie := a.Header.Get("Set-Cookie")
	for _, part := range []string{"__Host-session=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	token := strings.TrimPrefix(strings.Split(cookie, ";")[0], "__Host-session=")
	if token == preset || len(token) != 43 || strings.Contains(string(a.Body), token) {
		t.Errorf("A8: token %q", token)
	}
	var me struct{ Kind, Role, Workspace string }
	r.call(t, "GET", "/v1/me", nil, asSession(token)).ok(t, 200).into(t, &me)
	if me.Kind != "user" || me.Role != "marketer" || me.Workspace != r.tenant.Workspace.String() {
		t.Errorf("me: %+v", me)
	}
	out := r.call(t, "DELETE", "/v1/sessions/current", nil, asSession(token)).ok(t, 204)
	if !strings.Contains(out.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie stays: %q", out.Header.Get("Set-Cookie"))
	}
	r.call(t, "GET", "/v1/me", nil, asSession(token)).refused(t, 401, "auth.session")
	r.call(t, "DELETE", "/v1/sessions/current", nil).refused(t, 403, "auth.not_by_key")

	wrong := r.call(t, "POST", "/v1/sessions", map[string]any{"email": email, "password": "not the password"}, asNobody())
	unknown := r.call(t, "POST", "/v1/sessions", map[string]any{"email": "who@example.com", "password": "not the password"}, asNobody())
	wrong.refused(t, 401, "auth.sign_in_failed")
	if neutral(wrong, "") != neutral(unknown, "") {
		t.Errorf("an unknown user answers differently:\n%s\n%s", wrong.Body, unknown.Body)
	}
}

// A17: another X-Forwarded-For each time does not move the count.
func TestForwardedForIsNotBelieved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const insert = `insert into sign_in_failure (subject) select 'n:127.0.0.1' from generate_series(1, 49)`
	if _, err := r.pool.App().Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	try := func(n int) answer {
		return r.call(t, "POST", "/v1/sessions", map[string]any{"email": fmt.Sprintf("u%d@example.com", n), "password": "not the password"},
			asNobody(), header("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n)), header("X-Real-Ip", fmt.Sprintf("203.0.113.%d", n)))
	}
	try(1).refused(t, 401, "auth.sign_in_failed")
	a := try(2)
	a.refused(t, 429, "auth.too_many_tries")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestCrossSite(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) { c.BaseURL = "https://bareed.example" })
	cookie := asSession(r.session(t, accounts.Owner))
	cross := header("Sec-Fetch-Site", "cross-site")
	r.call(t, "PATCH", "/v1/workspace", `{}`, cookie, cross).refused(t, 403, "csrf")
	r.call(t, "PATCH", "/v1/workspace", `{}`, cookie, header("Origin", "https://evil.example")).refused(t, 403, "csrf")
	r.call(t, "POST", "/v1/sessions", `{}`, cross).refused(t, 403, "csrf")
	r.call(t, "PATCH", "/v1/workspace", `{}`, cookie, header("If-Match", "*"), header("Sec-Fetch-Site", "same-origin")).ok(t, 200)
	r.call(t, "PATCH", "/v1/workspace", `{}`, cookie, header("Origin", "https://bareed.example"), cross, header("If-Match", "*")).ok(t, 200)
	r.call(t, "GET", "/v1/workspace", nil, cookie, cross).ok(t, 200)
	if a := r.call(t, "POST", "/webhooks/meta/app_x", `{}`, cross); a.Status == 403 {
		t.Errorf("Meta's door asks where a request comes from: %s", a.Body)
	}
}

// A9 to A11: what was taken away is gone with the next request.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := asSession(r.session(t, accounts.Owner))
	user, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Admin)
	token := asSession(fixture.Session(t, r.pool, r.hasher, email))
	r.call(t, "GET", "/v1/members", nil, token).ok(t, 200)
	r.call(t, "PATCH", "/v1/members/"+user.String(), `{"role":"viewer"}`, owner, header("If-Match", "*")).ok(t, 200)
	r.call(t, "GET", "/v1/members", nil, token).refused(t, 403, "auth.role")
	r.call(t, "DELETE", "/v1/members/"+user.String(), nil, owner).ok(t, 204)
	r.call(t, "GET", "/v1/workspace", nil, token).refused(t, 403, "auth.no_workspace")
	r.call(t, "GET", "/v1/me", nil, token).ok(t, 200)
	if err := accounts.DisableUser(t.Context(), r.pool, user); err != nil {
		t.Fatal(err)
	}
	r.call(t, "GET", "/v1/me", nil, token).refused(t, 401, "auth.session")

	_, email = fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Viewer)
	token = asSession(fixture.Session(t, r.pool, r.hasher, email))
	r.call(t, "PUT", "/v1/me/password", map[string]any{"current": fixture.Password, "new": "🐪 another sentence"}, token).ok(t, 204)
	r.call(t, "GET", "/v1/me", nil, token).refused(t, 401, "auth.session")
}

func TestPasswordsByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := asSession(r.session(t, accounts.Owner))
	for password, code := range map[string]string{"seven77": "password.short", "password1234": "password.common", strings.Repeat("ab c", 300): "password.long"} {
		p := r.call(t, "POST", "/v1/members", map[string]any{"email": fixture.Email(), "role": "viewer", "password": password}, owner).refused(t, 422, code)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "/password" {
			t.Errorf("%s: places %+v", code, p.Errors)
		}
	}
}

func TestOps(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) {
		c.Dashboard = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, "queues at "+q.URL.Path) })
		c.Web = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, "page "+q.URL.Path) })
	})
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Owner)
	r.call(t, "GET", "/ops/queues/x", nil, asNobody()).refused(t, 404, "not_found")
	r.call(t, "GET", "/ops/queues/x", nil, asSession(fixture.Session(t, r.pool, r.hasher, email))).refused(t, 404, "not_found")
	_, email = fixture.User(t, r.pool, r.hasher, r.tenant, "")
	if err := accounts.SetOperator(t.Context(), r.pool, email, true); err != nil {
		t.Fatal(err)
	}
	operator := asSession(fixture.Session(t, r.pool, r.hasher, email))
	page := r.call(t, "GET", "/ops/queues/x", nil, operator).ok(t, 200)
	if string(page.Body) != "queues at /ops/queues/x" || !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'self'") {
		t.Errorf("dashboard: %s", page.Body)
	}
	for _, method := range []string{"POST", "DELETE", "PUT"} {
		r.call(t, method, "/ops/queues/x", nil, operator).refused(t, 405, "method_not_allowed")
	}
	r.call(t, "DELETE", "/ops/queues/x", nil, operator, header("Sec-Fetch-Site", "cross-site")).refused(t, 403, "csrf")
	r.call(t, "GET", "/v1/workspace", nil, operator).refused(t, 403, "auth.operator")
	if page := r.call(t, "GET", "/ops", nil, operator).ok(t, 200); string(page.Body) != "page /ops" {
		t.Errorf("the operator's page is not the pages': %s", page.Body)
	}
}

func TestIdleSessionByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := asSession(r.session(t, accounts.Viewer))
	pgtest.MoveClock(t, r.pool, 31*60*1e9)
	r.call(t, "GET", "/v1/me", nil, token).refused(t, 401, "auth.session")
}
