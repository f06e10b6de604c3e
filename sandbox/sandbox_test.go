package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"bareed/sandbox"
	"bareed/whatsapp"
)

const (
	waba      = "900000000000001"
	pnid      = "900000000000101"
	portfolio = "900000000000900"
	appID     = "900000000000800"
	secret    = "app-secret"
	token     = whatsapp.Token("tok-valid")
)

const springComponents = `[
 {"type":"HEADER","format":"TEXT","text":"Hi"},
 {"type":"BODY","text":"Hello {{1}}, save {{2}} today."},
 {"type":"FOOTER","text":"Reply STOP to end"},
 {"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop promotions"},{"type":"URL","text":"Shop","url":"https://shop.example/{{1}}"}]}]`

func seed(callback string) sandbox.Seed {
	plain := json.RawMessage(`[{"type":"BODY","text":"Good news today."}]`)
	return sandbox.Seed{
		Apps:       []sandbox.App{{ID: appID, Secret: secret, VerifyToken: "verify", CallbackURL: callback}},
		Portfolios: []sandbox.Portfolio{{ID: portfolio, Name: "Acme", Limit: "TIER_2K"}},
		WABAs:      []sandbox.WABA{{ID: waba, Name: "Acme", PortfolioID: portfolio, AppIDs: []string{appID}}},
		Numbers:    []sandbox.Number{{ID: pnid, WABAID: waba, DisplayPhone: "+1 555-010-0101", MPS: 1000}},
		Templates: []sandbox.Template{
			{ID: "900000000000301", WABAID: waba, Name: "spring_offer", Language: "en_US", Components: json.RawMessage(springComponents)},
			{ID: "900000000000302", WABAID: waba, Name: "plain", Language: "en_US", Components: plain},
			{ID: "900000000000303", WABAID: waba, Name: "named", Language: "ar", Category: "UTILITY", ParameterFormat: "NAMED", Components: json.RawMessage(`[{"type":"BODY","text":"Order {{order_id}} of {{customer}} is ready."}]`)},
			{ID: "900000000000304", WABAID: waba, Name: "photo", Language: "en_US", Components: json.RawMessage(`[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Look."},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE"}]}]`)},
			{ID: "900000000000305", WABAID: waba, Name: "paused", Language: "en_US", Status: "PAUSED", Components: plain},
			{ID: "900000000000306", WABAID: waba, Name: "disabled", Language: "en_US", Status: "DISABLED", Components: plain},
			{ID: "900000000000307", WABAID: waba, Name: "pending", Language: "en_US", Status: "PENDING", Components: plain},
		},
		Tokens: []sandbox.Token{{Token: token.Raw(), AppID: appID}, {Token: "tok-revoked", AppID: appID, Revoked: true},
			{Token: "tok-read", AppID: appID, Scopes: []string{"whatsapp_business_management"}}, {Token: "tok-other", AppID: appID, WABAIDs: []string{"7"}}},
	}
}

// meta is a running sandbox with a client and a webhook receiver.
type meta struct {
	*sandbox.Server
	client *whatsapp.Client
	inbox  *inbox
}

// inbox receives webhooks and keeps what was signed rightly.
type inbox struct {
	t      *testing.T
	mu     sync.Mutex
	bodies [][]byte
	refuse int // how many to answer with 500
	seen   int
	news   chan struct{}
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		fmt.Fprint(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	raw, _ := io.ReadAll(r.Body)
	if !whatsapp.VerifySignature(raw, r.Header.Get(whatsapp.SignatureHeader), secret) {
		b.t.Error("a webhook is not signed rightly")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen++
	if b.refuse > 0 {
		b.refuse--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	b.bodies = append(b.bodies, raw)
	select {
	case b.news <- struct{}{}:
	default:
	}
}

func (b *inbox) setRefuse(n int) {
	b.mu.Lock()
	b.refuse = n
	b.mu.Unlock()
}

// changes parses everything received so far.
func (b *inbox) changes() []whatsapp.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []whatsapp.Change
	for _, raw := range b.bodies {
		env, err := whatsapp.ParseWebhook(raw)
		if err != nil || env.Broken > 0 || env.Object != whatsapp.WebhookObject {
			b.t.Errorf("webhook %s: %v", raw, err)
		}
		all = append(all, env.Changes...)
	}
	return all
}

func (b *inbox) statuses() []whatsapp.Status {
	var all []whatsapp.Status
	for _, c := range b.changes() {
		if m, ok := c.Value.(whatsapp.Messages); ok {
			all = append(all, m.Statuses...)
		}
	}
	return all
}

// until waits for a condition on what was received.
func (b *inbox) until(cond func() bool) {
	b.t.Helper()
	end := time.After(30 * time.Second)
	for !cond() {
		select {
		case <-b.news:
		case <-time.After(20 * time.Millisecond):
		case <-end:
			b.t.Fatalf("not reached; %d changes", len(b.changes()))
		}
	}
}

func (b *inbox) count(kind string) int {
	n := 0
	for _, s := range b.statuses() {
		if s.Kind == kind {
			n++
		}
	}
	return n
}

func start(t *testing.T, change func(*sandbox.Config, *sandbox.Scenario)) *meta {
	t.Helper()
	cfg := sandbox.Config{ListenAddr: "127.0.0.1:0", Seed: 1, RetryBase: 20 * time.Millisecond}
	sc := sandbox.DefaultScenario()
	sc.SentDelayMS, sc.DeliveredDelayMS, sc.ReadDelayMS = [2]int{1, 5}, [2]int{1, 5}, [2]int{1, 5}
	if change != nil {
		change(&cfg, &sc)
	}
	srv, err := sandbox.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := &meta{Server: srv, inbox: &inbox{t: t, news: make(chan struct{}, 1)}}
	hook := httptest.NewServer(m.inbox)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("run: %v", err)
		}
		hook.Close()
	})
	if err := srv.Apply(seed(hook.URL)); err != nil {
		t.Fatal(err)
	}
	if err := srv.SetScenario(sc); err != nil {
		t.Fatal(err)
	}
	m.waits(t, time.Minute)
	return m
}

// waits gives m a client that waits so long for an answer.
func (m *meta) waits(t *testing.T, d time.Duration) {
	t.Helper()
	c, err := whatsapp.New(whatsapp.Config{BaseURL: m.URL(), SendTimeout: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	m.client = c
}

func person(i int) string { return fmt.Sprintf("+1555%07d", i) }

const runHex = "0123456789abcdef0123456789abcdef"

func callback(ordinal, attempt int) string {
	return fmt.Sprintf("v1.%s.%d.%d.00112233aabbccdd", runHex, ordinal, attempt)
}

func (m *meta) send(ctx context.Context, to, data string) whatsapp.SendResult {
	return m.client.SendTemplate(ctx, token, pnid, whatsapp.TemplateMessage{To: whatsapp.To{Phone: to}, Name: "plain", Language: "en_US", CallbackData: data})
}

// post sends a raw body and gives status, code and details of the answer.
func (m *meta) post(t *testing.T, body string) (status, code int, details string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+"/v25.0/"+pnid+"/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Raw())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc struct {
		Error struct {
			Code  int
			Trace string `json:"fbtrace_id"`
			Type  string
			Data  struct{ Details string } `json:"error_data"`
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 && (doc.Error.Trace == "" || doc.Error.Type != "OAuthException") {
		t.Errorf("not Meta's error form: %+v", doc)
	}
	return res.StatusCode, doc.Error.Code, doc.Error.Data.Details
}

// control posts JSON to a control endpoint.
func (m *meta) control(t *testing.T, method, path, body string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, m.URL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	return res.StatusCode
}
