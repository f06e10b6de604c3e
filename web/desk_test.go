package web_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/numbers"
	"bareed/web"

	"net/http/httptest"
)

// statements counts what the database is asked.
type statements struct{ n atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// deskRig is a rig whose statements are counted and whose Meta answers.
func deskRig(t *testing.T, change ...func(*web.Config)) (*rig, *statements) {
	t.Helper()
	db, counted := pgtest.Open(t), &statements{}
	pool, err := pg.Open(t.Context(), pg.Config{URL: db.URL, MaxConns: 8, Tracer: counted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	r := &rig{pool: db.Pool}
	r.vault, r.hasher = fixture.Vault(t, db.Pool), fixture.Hasher(t)
	c := web.Config{UI: pages(t), Pool: pool, Vault: r.vault, Hasher: r.hasher, BaseURL: "",
		Probe: func(_ context.Context, c numbers.Connection) (numbers.Probed, error) {
			if strings.HasPrefix(c.Token.Raw(), "refused") {
				return numbers.Probed{}, errs.New("number.token_invalid").At("/token", "")
			}
			return fixture.Meta{Connection: c, Portfolio: c.WABAID + "9"}.Probed(), nil
		}}
	for _, f := range change {
		f(&c)
	}
	s, err := web.New(c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	r.url, r.tenant = srv.URL, fixture.Workspace(t, db.Pool, r.vault)
	return r, counted
}

// both looks at a page in both languages and says how many statements the
// second look took.
func both(t *testing.T, b *browser, counted *statements, path string, texts ...string) int64 {
	t.Helper()
	var n int64
	for _, lang := range []string{"ar", "en"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		before := counted.n.Load()
		p := b.get(path)
		n = counted.n.Load() - before
		examine(t, path, lang, p.has(t, 200))
		if lang == "en" {
			p.has(t, 200, texts...)
		}
	}
	return n
}

// The statements of a page, with the session's, the layout's, begin and commit.
const mostStatements = 22

func TestHomeOfANewWorkspaceAndOfOneThatSends(t *testing.T) {
	t.Parallel()
	r, counted := deskRig(t)
	b := r.as(t, accounts.Owner)
	b.get("/").has(t, 200, "4 steps left", "/numbers/connect")
	bc := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	bc.AddPeople(t, bc.Audience, 5)
	b.get("/").has(t, 200, "1 step left")
	l := bc.Launch(t, "Spring & sun")
	bc.In(t, func(tx pgx.Tx) error {
		_, err := messages.OpenStop(t.Context(), tx, r.tenant.Workspace, messages.Opening{Scope: messages.ScopeCampaign,
			ScopeID: l.CampaignID, Reason: "refused_in_a_row", ByRule: true, By: "system:test"})
		return err
	})
	p := b.get("/").has(t, 200, "Campaign Spring &amp; sun is on hold", "Several messages in a row were refused", "/campaigns/"+l.CampaignID.String(), "0 of 1,000 people")
	examine(t, "/", "en", p)
	if n := both(t, b, counted, "/"); n > mostStatements {
		t.Errorf("the home page took %d statements", n)
	}
}

func TestTemplatesPages(t *testing.T) {
	t.Parallel()
	r, counted := deskRig(t)
	m := fixture.Connect(t, r.pool, r.vault, r.tenant, fixture.RandomIDs())
	b := r.as(t, accounts.Marketer)
	if n := both(t, b, counted, "/templates?status=APPROVED&name=spring", "spring_offer", "Approved"); n > mostStatements {
		t.Errorf("the list took %d statements", n)
	}
	b.get("/templates?status=PAUSED").has(t, 200, "No template matches these filters.")
	path := "/templates/" + m.Template.ID.String()
	if n := both(t, b, counted, path, "Hello Layla, spring is here.", "Stop promotions"); n > mostStatements {
		t.Errorf("the template's page took %d statements", n)
	}
	b.post("/templates/sync").to(t, "/templates")
	b.get("/templates").has(t, 200, "are being read from Meta")
	b.get("/templates?cursor=x").has(t, 400)
	viewer := r.as(t, accounts.Viewer)
	viewer.post("/templates/sync").has(t, 403)
	r.tenant = fixture.Workspace(t, r.pool, r.vault)
	r.as(t, accounts.Owner).get(path).has(t, 404)
}

func TestNumbersPages(t *testing.T) {
	t.Parallel()
	r, counted := deskRig(t)
	b := r.as(t, accounts.Admin)
	b.get("/numbers").has(t, 200, "No number is connected yet")
	form := []string{"app_id", "71", "app_secret", "secret-of-the-app", "waba_id", "72", "phone_number_id", "73", "token", "token-of-a-user"}
	b.post("/numbers/connect").has(t, 422, "Please correct this")
	b.post("/numbers/connect", append(form[:8:8], "token", "refused-token")...).has(t, 422, `id="token-error"`, `value="73"`)
	p := b.post("/numbers/connect", form...).has(t, 200, "It is shown only now")
	if !regexp.MustCompile(`id="verify" value="[A-Z0-9]{20,}"`).MatchString(p.Body) || strings.Contains(p.Body, "secret-of") {
		t.Errorf("the verify token: %s", p.Body)
	}
	path := regexp.MustCompile(`/numbers/num_[^"/]+`).FindString(b.get("/numbers").Body)
	b.post("/numbers/connect", form...).has(t, 409)
	for _, at := range []string{"/numbers", path, path + "/disconnect", "/numbers/connect"} {
		if n := both(t, b, counted, at); n > mostStatements {
			t.Errorf("%s took %d statements", at, n)
		}
	}
	b.post(path+"/token", "token", "").has(t, 422)
	b.post(path+"/token", "token", "refused-token").has(t, 422, `id="token-error"`)
	b.post(path+"/token", "token", "a-fresh-token-of-a-user").to(t, path)
	b.get(path).has(t, 200, "…user", "The token was replaced")
	viewer := r.as(t, accounts.Viewer)
	viewer.get(path).has(t, 200, "Only owners and admins")
	viewer.post(path+"/disconnect").has(t, 403)
	b.post(path+"/disconnect").to(t, "/numbers")
	b.post(path+"/token", "token", "a-fresh-token-of-a-user").has(t, 409)
	b.get(path).has(t, 200, "Disconnected")
	r.tenant = fixture.Workspace(t, r.pool, r.vault)
	r.as(t, accounts.Owner).get(path).has(t, 404)
}

func TestSettingsPages(t *testing.T) {
	t.Parallel()
	r, counted := deskRig(t)
	b := r.as(t, accounts.Owner)
	b.post("/settings", "name", "", "zone", "Mars/Base").has(t, 422, `id="name-error"`, `value="Mars/Base"`)
	b.post("/settings", "name", "Acme", "zone", "Mars/Base").has(t, 422, `id="zone-error"`)
	b.post("/settings", "name", "Acme <b>", "zone", "Asia/Riyadh").to(t, "/settings")
	b.post("/settings/keys/new", "name", "x", "mode", "test").has(t, 422, `href="#scopes"`)
	p := b.post("/settings/keys/new", "name", "till", "mode", "test", "scopes", "contacts:read").has(t, 200, "bk_test_")
	if p.Header.Get("Cache-Control") != "no-store" {
		t.Error("the key may be kept by a cache")
	}
	if n := both(t, b, counted, "/settings", "Acme &lt;b&gt;", "till", "contacts:read"); n > mostStatements {
		t.Errorf("the settings took %d statements", n)
	}
	revoke := regexp.MustCompile(`/settings/keys/key_[^"/]+/revoke`).FindString(b.get("/settings").Body)
	both(t, b, counted, revoke, "till")
	b.post(revoke).to(t, "/settings#keys")
	b.get("/settings").has(t, 200, "Revoked")
	r.as(t, accounts.Viewer).get("/settings").has(t, 200, "Only owners and admins see members")
	r.tenant = fixture.Workspace(t, r.pool, r.vault)
	r.as(t, accounts.Owner).get(revoke).has(t, 404)
}

func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	broken := errors.New("no Redis")
	var fault atomic.Bool
	r, counted := deskRig(t, func(c *web.Config) {
		c.Queues = func(context.Context) (web.Queues, error) {
			if fault.Load() {
				return web.Queues{}, broken
			}
			now := time.Now()
			return web.Queues{Queues: []web.Queue{{Name: "send", Waiting: 7, Rate: "12.5"}}, Memory: 1 << 20, Leader: true, Beat: &now}, nil
		}
	})
	bc := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	bc.AddPeople(t, bc.Audience, 5)
	bc.Launch(t, "Secret name")
	r.browser(t).get("/ops").has(t, 303)
	r.as(t, accounts.Owner).get("/ops").has(t, 404)
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, "")
	if err := accounts.SetOperator(t.Context(), r.pool, email, true); err != nil {
		t.Fatal(err)
	}
	b := r.browser(t)
	b.get("/ops/sign-in").to(t, "/sign-in?next=/ops")
	b.signIn(email)
	if n := both(t, b, counted, "/ops", "the ledger in the database is the truth", "12.5 a second", "/ops/queues/"); n > mostStatements {
		t.Errorf("the operator's page took %d statements", n)
	}
	if p := b.get("/ops"); strings.Contains(p.Body, "Secret name") {
		t.Error("an operator reads a campaign's name")
	}
	fault.Store(true)
	b.get("/ops").has(t, 200, "Redis does not answer")
}
