package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/fixture"
	"bareed/messages"
	"bareed/numbers"
	"bareed/sandbox"
	"bareed/templates"
	"bareed/whatsapp"
)

// metaAgrees is a probe that any connection passes, for tests about other things.
func metaAgrees(_ context.Context, c numbers.Connection) (numbers.Probed, error) {
	return fixture.Meta{Connection: c, Portfolio: c.WABAID + "9"}.Probed(), nil
}

// plugged is a server whose probe asks a sandbox, and an owner's session.
type plugged struct {
	*rig
	meta    *sandbox.Server
	ids     fixture.MetaIDs
	session with
}

const plugToken = "EAAplugged0123456789"

func newPlugged(t *testing.T) *plugged {
	t.Helper()
	p := &plugged{ids: fixture.RandomIDs()}
	var err error
	if p.meta, err = sandbox.New(sandbox.Config{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	err = p.meta.Apply(sandbox.Seed{
		Apps:       []sandbox.App{{ID: p.ids.App, Secret: fixture.AppSecret}},
		Portfolios: []sandbox.Portfolio{{ID: p.ids.Portfolio, Limit: "TIER_10K"}},
		WABAs:      []sandbox.WABA{{ID: p.ids.WABA, Name: "Sample", PortfolioID: p.ids.Portfolio}},
		Numbers:    []sandbox.Number{{ID: p.ids.Number, WABAID: p.ids.WABA, DisplayPhone: "+1 555-010-0101", MPS: 1000}},
		Tokens: []sandbox.Token{{Token: plugToken, AppID: p.ids.App},
			{Token: p.ids.App + "|" + fixture.AppSecret, AppID: p.ids.App}, // the app's own
			{Token: plugToken + "2", AppID: p.ids.App},
			{Token: plugToken + "-narrow", AppID: p.ids.App, Scopes: []string{"whatsapp_business_messaging"}},
			{Token: plugToken + "-blind", AppID: p.ids.App, WABAIDs: []string{"1"}},
			{Token: plugToken + "-revoked", AppID: p.ids.App, Revoked: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	graph := httptest.NewServer(p.meta.Handler())
	t.Cleanup(graph.Close)
	client, err := whatsapp.New(whatsapp.Config{BaseURL: graph.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	p.rig = newRig(t, func(c *api.Config) { c.Probe = numbers.NewProbe(client) })
	_, email := fixture.User(t, p.pool, p.hasher, p.tenant, accounts.Owner)
	p.session = asSession(fixture.Session(t, p.pool, p.hasher, email))
	return p
}

// heldForItsToken opens the stop that Meta's refusal of the token opens, and
// another.
func (p *plugged) heldForItsToken(t *testing.T) {
	t.Helper()
	err := p.pool.InWorkspace(t.Context(), p.tenant.Workspace, func(tx pgx.Tx) error {
		list, err := numbers.List(t.Context(), tx, p.tenant.Workspace)
		if err != nil {
			return err
		}
		for _, reason := range []string{"token_invalid", "payment_problem"} {
			if _, err := messages.OpenStop(t.Context(), tx, p.tenant.Workspace, messages.Opening{Scope: messages.ScopeWABA, ScopeID: list[0].WABA,
				Reason: reason, ByRule: true, By: "system:answer"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *plugged) body(change ...string) map[string]any {
	b := map[string]any{"app_id": p.ids.App, "app_secret": fixture.AppSecret, "waba_id": p.ids.WABA,
		"phone_number_id": p.ids.Number, "token": plugToken}
	for i := 0; i+1 < len(change); i += 2 {
		b[change[i]] = change[i+1]
	}
	return b
}

// shown is what tests read of a number.
type shown struct {
	ID, Quality, Status string
	CanSend             bool `json:"can_send"`
	PerSecond           int  `json:"per_second"`
	Limit               struct {
		Known  bool
		People *int
	}
	Token   struct{ Hint string }
	Stops   []struct{ Reason string }
	Webhook struct {
		Path        string
		VerifyToken string `json:"verify_token"`
	}
	History []struct{ What, Became string }
}

func TestConnectNumber(t *testing.T) {
	t.Parallel()
	p := newPlugged(t)
	post := func(body map[string]any) answer { return p.call(t, http.MethodPost, "/v1/numbers", body, p.session) }
	for _, c := range []struct {
		change string
		value  string
		code   string
	}{
		{"token", plugToken + "-revoked", "number.token_invalid"},
		{"token", plugToken + "-narrow", "number.scope_missing"},
		{"token", plugToken + "-blind", "number.not_allowed"},
		{"token", "EAAunknown0123456789", "number.token_invalid"},
		{"app_secret", "quite-another-secret", "number.app_secret_wrong"},
		{"phone_number_id", "12345", "number.unknown_to_meta"},
		{"waba_id", "12345", "number.unknown_to_meta"},
		{"waba_id", "not digits", "invalid"},
		{"token", "two words", "invalid"},
	} {
		a := post(p.body(c.change, c.value))
		a.refused(t, http.StatusUnprocessableEntity, c.code)
		if strings.Contains(string(a.Body), plugToken) || strings.Contains(string(a.Body), fixture.AppSecret) {
			t.Errorf("%s: a secret came back", c.code)
		}
	}
	p.call(t, http.MethodPost, "/v1/numbers", p.body()).refused(t, http.StatusForbidden, "auth.not_by_key")

	a := post(p.body()).ok(t, http.StatusCreated)
	var n shown
	a.into(t, &n)
	if n.Status != "CONNECTED" || !n.CanSend || n.PerSecond != 1000 || !n.Limit.Known || *n.Limit.People != 10000 ||
		n.Token.Hint != plugToken[len(plugToken)-4:] || len(n.Webhook.VerifyToken) < 20 || n.Webhook.Path != "/webhooks/meta/"+p.ids.App {
		t.Errorf("number %+v", n)
	}
	if strings.Contains(string(a.Body), plugToken) || strings.Contains(string(a.Body), fixture.AppSecret) {
		t.Error("a secret is shown")
	}
	post(p.body()).refused(t, http.StatusConflict, "number.already_connected")

	p.call(t, http.MethodGet, "/v1/numbers/"+n.ID, nil).ok(t, http.StatusOK).into(t, &n)
	if len(n.History) == 0 {
		t.Error("no history")
	}
	var list struct{ Data []shown }
	p.call(t, http.MethodGet, "/v1/numbers?limit=1", nil).ok(t, http.StatusOK).into(t, &list)
	if len(list.Data) != 1 || list.Data[0].ID != n.ID || list.Data[0].Webhook.VerifyToken != "" {
		t.Errorf("list %+v", list)
	}

	token := "/v1/numbers/" + n.ID + "/token"
	p.call(t, http.MethodPut, token, map[string]any{"token": plugToken + "-revoked"}, p.session).refused(t, http.StatusUnprocessableEntity, "number.token_invalid")
	p.heldForItsToken(t)
	p.call(t, http.MethodPut, token, map[string]any{"token": plugToken + "2"}, p.session).ok(t, http.StatusOK).into(t, &n)
	if n.Token.Hint != "7892" || len(n.Stops) != 1 || n.Stops[0].Reason != "payment_problem" {
		t.Errorf("hint %q, stops %+v: the new token clears what the old one was held for, and nothing else", n.Token.Hint, n.Stops)
	}
	p.call(t, http.MethodDelete, "/v1/numbers/"+n.ID, nil, p.session).ok(t, http.StatusNoContent)
	p.call(t, http.MethodDelete, "/v1/numbers/"+n.ID, nil, p.session).refused(t, http.StatusNotFound, "not_found")
	p.call(t, http.MethodPut, token, map[string]any{"token": plugToken}, p.session).refused(t, http.StatusConflict, "number.not_connected")
}

func TestConnectWithoutMeta(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *api.Config) {
		c.Probe = func(context.Context, numbers.Connection) (numbers.Probed, error) {
			client, err := whatsapp.New(whatsapp.Config{BaseURL: "http://127.0.0.1:1"})
			if err != nil {
				return numbers.Probed{}, err
			}
			defer client.Close()
			return numbers.NewProbe(client)(t.Context(), numbers.Connection{AppID: "1", AppSecret: "s", Token: "t", WABAID: "2", PhoneNumberID: "3"})
		}
	})
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Owner)
	p := plugged{rig: r, ids: fixture.RandomIDs()}
	r.call(t, http.MethodPost, "/v1/numbers", p.body(), asSession(fixture.Session(t, r.pool, r.hasher, email))).
		refused(t, http.StatusServiceUnavailable, "meta.unreachable")
}

func TestNumberStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := fixture.Connect(t, r.pool, r.vault, r.tenant, fixture.RandomIDs())
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := messages.OpenStop(t.Context(), tx, r.tenant.Workspace, messages.Opening{Scope: messages.ScopePortfolio,
			ScopeID: m.Number.Portfolio, Reason: "blocked_by_meta", ByRule: true, By: "system:test"})
		return err
	})
	var n shown
	r.call(t, http.MethodGet, "/v1/numbers/"+m.Number.ID.String(), nil).ok(t, http.StatusOK).into(t, &n)
	if n.CanSend || len(n.Stops) != 1 || n.Stops[0].Reason != "blocked_by_meta" {
		t.Errorf("number %+v", n)
	}
}

func TestTemplatesAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := fixture.Connect(t, r.pool, r.vault, r.tenant, fixture.RandomIDs())
	offer, arabic := fixture.SpringOffer(m.Template.MetaID), fixture.SpringOffer("77")
	arabic.Language, arabic.Status = "ar", "REJECTED"
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := templates.ApplyList(t.Context(), tx, r.tenant.Workspace, m.Number.WABA, []whatsapp.Template{offer, arabic})
		return err
	})
	type tpl struct {
		ID, Name, Language, Purpose string
		Sendable                    bool
		Parameters                  []templates.Parameter
		Preview                     templates.Preview
	}
	var page struct {
		Data       []tpl
		NextCursor *string `json:"next_cursor"`
	}
	get := func(query string) []tpl {
		page.Data, page.NextCursor = nil, nil
		r.call(t, http.MethodGet, "/v1/templates"+query, nil).ok(t, http.StatusOK).into(t, &page)
		return page.Data
	}
	if list := get("?limit=1"); len(list) != 1 || list[0].Language != "ar" || list[0].Sendable || page.NextCursor == nil {
		t.Errorf("first page %+v", page)
	}
	if list := get("?limit=1&cursor=" + *page.NextCursor); len(list) != 1 || list[0].Language != "en_US" || !list[0].Sendable || page.NextCursor != nil {
		t.Errorf("second page %+v", page)
	}
	if list := get("?status=approved&category=marketing&name=SPRING&number=" + m.Number.ID.String()); len(list) != 1 || list[0].ID != m.Template.ID.String() {
		t.Errorf("filtered %+v", list)
	}
	if list := get("?language=fr"); len(list) != 0 {
		t.Errorf("French %+v", list)
	}
	r.call(t, http.MethodGet, "/v1/templates?number=num_1", nil).refused(t, http.StatusNotFound, "not_found")
	var one tpl
	r.call(t, http.MethodGet, "/v1/templates/"+m.Template.ID.String(), nil).ok(t, http.StatusOK).into(t, &one)
	if one.Purpose != "marketing" || one.Preview.Body != "Hello Layla, spring is here." || len(one.Parameters) != 2 || one.Parameters[0].Key() != "body.1" {
		t.Errorf("template %+v", one)
	}
	r.call(t, http.MethodPost, "/v1/templates/sync", nil).ok(t, http.StatusAccepted)
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		stale, err := templates.Stale(t.Context(), tx, r.tenant.Workspace, m.Number.WABA)
		if !stale {
			t.Error("the mirror is not due")
		}
		return err
	})
}
