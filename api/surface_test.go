package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/errs"
	"bareed/internal/fixture"
)

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) { c.BaseURL = "https://bareed.example" })
	for path, status := range map[string]int{"/healthz": 200, "/v1/me": 200, "/v1/nothing": 404, "/": 404, "/v1/workspace?x=1&x=2": 400} {
		a := r.call(t, "GET", path, nil)
		if a.Status != status {
			t.Errorf("%s: status %d, want %d: %s", path, a.Status, status, a.Body)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Strict-Transport-Security": "max-age=31536000",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if !strings.HasPrefix(a.Header.Get("Request-Id"), "req_") {
			t.Errorf("%s: Request-Id %q", path, a.Header.Get("Request-Id"))
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if got := r.call(t, "GET", "/healthz", nil, header("X-Request-Id", "abc.DEF-1_2")).Header.Get("Request-Id"); got != "abc.DEF-1_2" {
		t.Errorf("a valid id became %q", got)
	}
	for _, bad := range []string{"a b", strings.Repeat("x", 65), "é", "-x", `"}`} {
		if got := r.call(t, "GET", "/healthz", nil, header("X-Request-Id", bad)).Header.Get("Request-Id"); !strings.HasPrefix(got, "req_") {
			t.Errorf("%q was taken: %q", bad, got)
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, method := range []string{"PUT", "TRACE", "OPTIONS", "FOO"} {
		a := r.call(t, method, "/v1/workspace", nil)
		a.refused(t, 405, "method_not_allowed")
		if allow := a.Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "PATCH") {
			t.Errorf("%s: Allow %q", method, allow)
		}
	}
	r.call(t, "DELETE", "/v1/api-keys", nil).refused(t, 405, "method_not_allowed")
	for _, path := range []string{"/v1/api-keys/", "/v1", "/v1/../v1/me", "//v1/me", "/v1/api-keys/%2e%2e", "/nothing"} {
		if a := r.call(t, "GET", path, nil); a.Status != 404 && a.Status != 405 {
			t.Errorf("%s: status %d", path, a.Status)
		}
	}
	for _, bad := range []string{"abc", "%2E%2E%2Fx", fixture.RandomID(t, "user"), strings.Repeat("a", 10_000), "key_XYZ", "%00"} {
		r.call(t, "DELETE", "/v1/api-keys/"+bad, nil, asSession(r.session(t, accounts.Owner))).refused(t, 404, "not_found")
	}
}

// session signs a new member of that role in.
func (r *rig) session(t testing.TB, role accounts.Role) string {
	t.Helper()
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, role)
	return fixture.Session(t, r.pool, r.hasher, email)
}

func TestHugeHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, stop := context.WithCancel(t.Context())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.server.Run(ctx, ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	go fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: %s\r\n\r\n", strings.Repeat("a", 1<<20))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("answer %q, %v", line, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestRunFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(c *api.Config) {
		c.Web = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-release
			_, _ = io.WriteString(w, "done")
		})
	})
	ctx, stop := context.WithCancel(t.Context())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.server.Run(ctx, ln) }()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + ln.Addr().String() + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-begun
	stop()
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still takes connections")
		}
	}
	close(release)
	if body := <-got; body != "done" {
		t.Errorf("the request under way got %q", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) {
		c.Web = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail /var/lib") })
	})
	a := r.call(t, "GET", "/page", nil)
	a.refused(t, 500, "internal")
	if strings.Contains(string(a.Body), "secret") {
		t.Errorf("the panic is shown: %s", a.Body)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for header, lang := range map[string]string{"": "en", "ar": "ar", "ar-SA,ar;q=0.9,en;q=0.8": "ar", "en;q=0.9,ar;q=0.2": "en",
		"fr, *": "en", "ar;q=x": "en", "de;q=1,ar;q=0.1": "ar"} {
		p := r.call(t, "GET", "/v1/nothing", nil, with(func(q *http.Request) { q.Header.Set("Accept-Language", header) })).refused(t, 404, "not_found")
		if p.Lang != lang || p.Detail != errs.Sentence(lang, "not_found", nil) {
			t.Errorf("%q: %s %s", header, p.Lang, p.Detail)
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := asSession(r.session(t, accounts.Owner))
	r.call(t, "GET", "/v1/api-keys?limit=1&limit=2", nil, token).refused(t, 400, "param.duplicate")
	r.call(t, "GET", "/v1/api-keys?limit=%zz", nil, token).refused(t, 400, "param.syntax")
	p := r.call(t, "GET", "/v1/api-keys?limmit=1", nil, token).refused(t, 422, "invalid")
	if len(p.Errors) != 1 || p.Errors[0].Code != "param.unknown" {
		t.Errorf("an unknown parameter: %+v", p.Errors)
	}
	for _, limit := range []string{"0", "-1", "1000000000", "201", "x", "1.5"} {
		r.call(t, "GET", "/v1/api-keys?limit="+limit, nil, token).refused(t, 400, "page.limit")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := asSession(r.session(t, accounts.Owner))
	for range 4 {
		fixture.Key(t, r.pool, r.tenant, "reports:read")
	}
	type page struct {
		Data       []accounts.Key `json:"data"`
		NextCursor *string        `json:"next_cursor"`
		HasMore    bool           `json:"has_more"`
	}
	seen := make(map[string]bool)
	path, pages := "/v1/api-keys?limit=2", 0
	var cursor string
	for path != "" {
		var p page
		a := r.call(t, "GET", path, nil, token).ok(t, 200)
		a.into(t, &p)
		for _, k := range p.Data {
			seen[k.ID.String()] = true
		}
		if p.HasMore != (p.NextCursor != nil) || p.HasMore != strings.Contains(a.Header.Get("Link"), `rel="next"`) {
			t.Errorf("page %d: %v, %v, %q", pages, p.HasMore, p.NextCursor, a.Header.Get("Link"))
		}
		pages++
		if path = ""; p.NextCursor != nil {
			cursor = *p.NextCursor
			path = "/v1/api-keys?limit=2&cursor=" + cursor
		}
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("%d keys on %d pages, want 5 on 3", len(seen), pages)
	}
	b := fixture.Workspace(t, r.pool, r.vault)
	_, email := fixture.User(t, r.pool, r.hasher, b, accounts.Owner)
	foreign := asSession(fixture.Session(t, r.pool, r.hasher, email))
	for name, c := range map[string]struct {
		path string
		who  with
	}{
		"forged":              {"/v1/api-keys?cursor=AAAA", token},
		"altered":             {"/v1/api-keys?cursor=" + cursor[:len(cursor)-2] + "xx", token},
		"another list's":      {"/v1/members?cursor=" + cursor, token},
		"another workspace's": {"/v1/api-keys?cursor=" + cursor, foreign},
		"not base64":          {"/v1/api-keys?cursor=***", token},
		"huge":                {"/v1/api-keys?cursor=" + strings.Repeat("A", 5000), token},
	} {
		t.Run(name, func(t *testing.T) { r.call(t, "GET", c.path, nil, c.who).refused(t, 400, "page.cursor") })
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken := errors.New("dial tcp 10.0.0.7:6379: connection refused")
	r := newRig(t, func(c *api.Config) {
		c.Checks = []api.Check{{Name: "redis", Probe: func(context.Context) error { return broken }}}
	})
	r.call(t, "GET", "/healthz", nil, asNobody()).ok(t, 200)
	a := r.call(t, "GET", "/readyz", nil, asNobody()).ok(t, 503)
	var got struct {
		Checks []struct {
			Name   string
			OK     bool
			Detail string
		}
	}
	a.into(t, &got)
	if len(got.Checks) != 2 || !got.Checks[0].OK || got.Checks[1].OK || got.Checks[1].Detail != "redis does not answer." {
		t.Errorf("checks %+v", got.Checks)
	}
	if strings.Contains(string(a.Body), "10.0.0.7") {
		t.Errorf("an address is shown: %s", a.Body)
	}
}

func TestMetricsAreNotPublic(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call(t, "GET", "/metrics", nil).refused(t, 404, "not_found")
	r.call(t, "GET", "/v1/me", nil).ok(t, 200)
	srv := &recorder{header: http.Header{}}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	r.server.MetricsHandler().ServeHTTP(srv, req)
	if !strings.Contains(srv.body.String(), `bareed_http_requests_total{route="GET /v1/me",status="200"} 1`) {
		t.Errorf("metrics: %s", srv.body.String())
	}
}

type recorder struct {
	header http.Header
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(int)             {}
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func TestRequestLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call(t, "GET", "/v1/me", nil).ok(t, 200)
	r.call(t, "GET", "/v1/api-keys", nil).refused(t, 403, "auth.not_by_key")
	r.call(t, "GET", "/v1/me", nil, asNobody()).refused(t, 401, "auth.missing")
	r.server.FlushLog(t.Context())
	var rows, refused, used int
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*), count(*) filter (where status = 403 and route = 'GET /v1/api-keys'),
			(select count(*) from api_key where used_at is not null) from request_log`).Scan(&rows, &refused, &used)
	})
	if rows != 2 || refused != 1 || used != 1 {
		t.Errorf("%d rows, %d refused, %d keys used", rows, refused, used)
	}
}
