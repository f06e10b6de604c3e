package whatsapp_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bareed/whatsapp"
)

func TestBaseURLAndVersion(t *testing.T) {
	t.Parallel()
	good := []string{"https://graph.facebook.com", "https://proxy.example/meta/", "http://127.0.0.1:8099", "http://127.9.9.9", "http://[::1]:80", "http://localhost:1"}
	bad := []string{"", "graph.facebook.com", "http://graph.facebook.com", "http://10.0.0.1", "http://localhost.evil.example", "http://127.0.0.1.evil.example",
		"ftp://127.0.0.1", "https://u:p@graph.facebook.com", "https://graph.facebook.com?x=1", "https://graph.facebook.com#x", "https:graph", "http://0.0.0.0", "https://"}
	for _, u := range good {
		if _, err := whatsapp.New(whatsapp.Config{BaseURL: u}); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for _, u := range bad {
		if _, err := whatsapp.New(whatsapp.Config{BaseURL: u}); !errors.Is(err, whatsapp.ErrBaseURL) {
			t.Errorf("%s: %v", u, err)
		}
	}
	for v, ok := range map[string]bool{"v24.0": true, "v25.0": true, "v26.0": true, "v100.0": true, "v23.0": false, "v9.0": false, "25.0": false, "v25": false, "latest": false, "v25.0/x": false} {
		if _, err := whatsapp.New(whatsapp.Config{BaseURL: good[0], Version: v}); (err == nil) != ok {
			t.Errorf("%s: %v", v, err)
		}
	}
}

// client talks to a handler on a loopback address.
func client(t *testing.T, h http.HandlerFunc, change func(*whatsapp.Config)) *whatsapp.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return clientAt(t, srv.URL, change)
}

func clientAt(t *testing.T, url string, change func(*whatsapp.Config)) *whatsapp.Client {
	t.Helper()
	cfg := whatsapp.Config{BaseURL: url}
	if change != nil {
		change(&cfg)
	}
	c, err := whatsapp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func hello() whatsapp.TemplateMessage {
	return whatsapp.TemplateMessage{
		To: whatsapp.To{Phone: "+15550107777"}, Name: "spring_offer", Language: "en_US", CallbackData: "v1.x",
		Components: []whatsapp.Component{{Type: "body", Parameters: []whatsapp.Parameter{{Type: "text", Text: "Mona"}}}},
	}
}

func send(t *testing.T, c *whatsapp.Client) whatsapp.SendResult {
	t.Helper()
	return c.SendTemplate(t.Context(), "tok", "900000000000101", hello())
}

func TestSendRequest(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	var body map[string]any
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		raw, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(raw, &body)
		fmt.Fprint(w, `{"contacts":[{"wa_id":"15550107777"}],"messages":[{"id":"wamid.1","message_status":"accepted"}]}`)
	}, nil)
	res := send(t, c)
	if res.Outcome != whatsapp.Accepted || res.WAMID != "wamid.1" || res.WaID != "15550107777" {
		t.Fatalf("%+v", res)
	}
	if seen.Method != "POST" || seen.URL.Path != "/v25.0/900000000000101/messages" || seen.Header.Get("Authorization") != "Bearer tok" ||
		seen.Header.Get("Content-Type") != "application/json" || seen.Header.Get("Idempotency-Key") != "" || seen.Header.Get("X-Idempotency-Key") != "" {
		t.Errorf("request %s %s %v", seen.Method, seen.URL, seen.Header)
	}
	want := `{"biz_opaque_callback_data":"v1.x","messaging_product":"whatsapp","recipient_type":"individual","template":{"components":[{"parameters":[{"text":"Mona","type":"text"}],"type":"body"}],"language":{"code":"en_US"},"name":"spring_offer"},"to":"+15550107777","type":"template"}`
	if got, _ := json.Marshal(body); string(got) != want {
		t.Errorf("body\n got %s\nwant %s", got, want)
	}
	text := whatsapp.TextMessage{To: whatsapp.To{BSUID: "US.1"}, Body: "hi", ReplyTo: "wamid.in"}
	if res := c.SendText(t.Context(), "tok", "900000000000101", text); res.Outcome != whatsapp.Accepted {
		t.Fatalf("%+v", res)
	}
	if body["recipient"] != "US.1" || body["context"].(map[string]any)["message_id"] != "wamid.in" {
		t.Errorf("text body %v", body)
	}
}

func TestSendRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("a request left") }, nil)
	changes := map[string]func(*whatsapp.TemplateMessage){
		"no plus":      func(m *whatsapp.TemplateMessage) { m.To.Phone = "15550107777" },
		"nobody":       func(m *whatsapp.TemplateMessage) { m.To = whatsapp.To{} },
		"bad user id":  func(m *whatsapp.TemplateMessage) { m.To = whatsapp.To{BSUID: "15550107777"} },
		"no template":  func(m *whatsapp.TemplateMessage) { m.Name = "" },
		"no language":  func(m *whatsapp.TemplateMessage) { m.Language = "" },
		"callback 513": func(m *whatsapp.TemplateMessage) { m.CallbackData = strings.Repeat("é", 513) },
	}
	for name, change := range changes {
		m := hello()
		change(&m)
		if r := c.SendTemplate(t.Context(), "tok", "900000000000101", m); r.Outcome != whatsapp.RefusedForGood || r.Code != whatsapp.CodeInvalidBeforeSend || r.HasCode {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, id := range []string{"", "x", "1/2", "../1", "1?x"} {
		if r := c.SendTemplate(t.Context(), "tok", id, hello()); r.Code != whatsapp.CodeInvalidBeforeSend {
			t.Errorf("number %q: %+v", id, r)
		}
	}
	for _, bad := range []whatsapp.Token{"", "a\nb", "a b"} {
		if r := c.SendTemplate(t.Context(), bad, "1", hello()); r.Outcome != whatsapp.StopSending || r.Scope != whatsapp.ScopeWABA || r.HasCode {
			t.Errorf("token: %+v", r)
		}
	}
	if r := c.SendText(t.Context(), "tok", "1", whatsapp.TextMessage{To: whatsapp.To{Phone: "+15550107777"}}); r.Code != whatsapp.CodeInvalidBeforeSend {
		t.Errorf("empty text: %+v", r)
	}
}

func TestSendNeverLeft(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + l.Addr().String()
	l.Close()
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = nil
	t.Cleanup(tlsServer.Close)
	tests := map[string]struct {
		url    string
		title  string
		change func(*whatsapp.Config)
	}{
		"dial refused":            {refused, "no connection", nil},
		"name unknown":            {"https://graph.invalid", "name not resolved", nil},
		"certificate":             {tlsServer.URL, "connection failed", nil},
		"plain on a port for TLS": {strings.Replace(client404(t), "http:", "https:", 1), "connection failed", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := send(t, clientAt(t, tc.url, tc.change)); r.Outcome != whatsapp.NeverLeft || r.Title != tc.title || r.HTTPStatus != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := clientAt(t, refused, nil).SendTemplate(ctx, "tok", "1", hello()); r.Outcome != whatsapp.NeverLeft {
		t.Errorf("cancelled before: %+v", r)
	}
	pool := x509.NewCertPool()
	pool.AddCert(tlsServer.Certificate())
	r := send(t, clientAt(t, tlsServer.URL, func(cfg *whatsapp.Config) { cfg.RootCAs = pool }))
	if r.Outcome != whatsapp.Unknown || r.HTTPStatus != 404 {
		t.Errorf("trusted certificate: %+v", r)
	}
}

// A connection that takes long must not carry what may not leave any more: nothing
// is written, neither to a new connection nor to one that is kept.
func TestSendStays(t *testing.T) {
	t.Parallel()
	var heard, seen atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		fmt.Fprint(w, `{"messages":[{"id":"wamid.1"}]}`)
	}))
	t.Cleanup(srv.Close)
	door, err := net.Listen("tcp", "127.0.0.1:0") // passes bytes on and counts them
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { door.Close() })
	go func() {
		for {
			in, err := door.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(in, out); in.Close() }()
			go func() {
				b := make([]byte, 4096)
				for {
					n, err := in.Read(b)
					heard.Add(int32(n))
					if _, werr := out.Write(b[:n]); err != nil || werr != nil {
						out.Close()
						return
					}
				}
			}()
		}
	}()
	c := clientAt(t, "http://"+door.Addr().String(), nil)
	m := hello()
	m.MayLeave = func() bool { return false }
	stays := func(when string) {
		before := heard.Load()
		r := c.SendTemplate(t.Context(), "tok", "900000000000101", m)
		if r.Outcome != whatsapp.NeverLeft || !r.Stayed || r.Title != "too late to leave" || heard.Load() != before {
			t.Errorf("%s: %+v, %d bytes", when, r, heard.Load()-before)
		}
	}
	stays("a new connection")
	asked := 0
	m.MayLeave = func() bool { asked++; return true }
	if r := c.SendTemplate(t.Context(), "tok", "900000000000101", m); r.Outcome != whatsapp.Accepted || r.Stayed || asked != 1 {
		t.Errorf("it may: %+v, asked %d times", r, asked)
	}
	m.MayLeave = func() bool { return false }
	stays("a kept connection")
	if seen.Load() != 1 {
		t.Errorf("%d requests arrived, want 1", seen.Load())
	}
}

func client404(t *testing.T) string {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestSendUnknown(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	tests := map[string]struct {
		title  string
		handle http.HandlerFunc
	}{
		"cut": {"answer cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"cut body": {"answer cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			fmt.Fprint(w, `{"messages":[{"id":"wamid.1"}]}`)
			panic(http.ErrAbortHandler)
		}},
		"slow": {"timed out", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that we leave
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}},
		"redirect": {"redirect, not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}},
		"too large": {"answer too large", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"x":"%s"}`, strings.Repeat("a", 70<<10))
		}},
		"HTML 502": {"answer without an error code", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); fmt.Fprint(w, "<html>") }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, tc.handle, func(cfg *whatsapp.Config) {
				if name == "slow" {
					cfg.SendTimeout = 150 * time.Millisecond
				}
			})
			r := send(t, c)
			for try := 1; name == "slow" && r.Outcome == whatsapp.NeverLeft && try < 10; try++ { // a busy machine: its time was over before it left
				r = send(t, c)
			}
			if r.Outcome != whatsapp.Unknown || r.Title != tc.title {
				t.Errorf("%+v", r)
			}
			if elsewhere.Load() != 0 {
				t.Error("the redirect was followed")
			}
		})
	}
}

// A POST whose kept connection died is repeated by net/http only if not a byte
// was written; every accepted request must be counted once on the other side.
func TestSendNeverRepeatsItself(t *testing.T) {
	t.Parallel()
	var got atomic.Int32
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		if got.Add(1)%3 == 0 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, `{"messages":[{"id":"wamid.1"}]}`)
	}, nil)
	var sure, unknown int32
	for range 60 {
		switch r := send(t, c); r.Outcome {
		case whatsapp.Accepted:
			sure++
		case whatsapp.Unknown:
			unknown++
		default:
			t.Fatalf("%+v", r)
		}
	}
	if sure+unknown != got.Load() || unknown != 20 {
		t.Errorf("%d accepted, %d unknown, %d arrived", sure, unknown, got.Load())
	}
}

func TestReadErrorsHideTheToken(t *testing.T) {
	t.Parallel()
	c := clientAt(t, "https://graph.invalid", nil)
	_, err := c.DebugToken(t.Context(), "credential", "inspected")
	if err == nil || strings.Contains(err.Error(), "inspected") || strings.Contains(err.Error(), "credential") {
		t.Errorf("err %v", err)
	}
	c = client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(400)
		fmt.Fprint(w, `{"error":{"message":"secret +15550107777","code":80007,"error_subcode":5,"fbtrace_id":"T1"}}`)
	}, nil)
	_, err = c.GetWABA(t.Context(), "tok", "1")
	var e *whatsapp.Error
	if !errors.As(err, &e) || e.Code != 80007 || e.Subcode != 5 || e.FBTraceID != "T1" || e.RetryAfter != 3*time.Second || strings.Contains(err.Error(), "secret") {
		t.Errorf("err %v", err)
	}
	if _, err := c.GetPhoneNumber(t.Context(), "tok", "1/../2", ""); !errors.Is(err, whatsapp.ErrMalformedID) {
		t.Errorf("err %v", err)
	}
}

func TestReadFixtures(t *testing.T) {
	t.Parallel()
	serve := func(name string) *whatsapp.Client {
		return client(t, func(w http.ResponseWriter, _ *http.Request) {
			raw, err := os.ReadFile("testdata/api/" + name + ".json")
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(raw)
		}, nil)
	}
	n, err := serve("phone_number_get").GetPhoneNumber(t.Context(), "tok", "900000000000101", "")
	if err != nil || n.ID != "900000000000101" || n.Status != "CONNECTED" || n.Quality != "GREEN" || n.Throughput != "STANDARD" || n.MessagingLimit != "TIER_2K" ||
		n.OnBizApp || n.Health.CanSend != "AVAILABLE" || len(n.Health.Entities) != 4 || len(n.Raw) == 0 {
		t.Errorf("%+v %v", n, err)
	}
	n, err = serve("phone_number_get_blocked").GetPhoneNumber(t.Context(), "tok", "900000000000101", "")
	if err != nil || n.Health.CanSend != "BLOCKED" || n.Health.Entities[1].Codes[0] != 131031 {
		t.Errorf("%+v %v", n.Health, err)
	}
	n, err = serve("phone_number_get_red_limited").GetPhoneNumber(t.Context(), "tok", "900000000000101", "")
	if err != nil || n.Quality != "RED" || n.Health.CanSend != "LIMITED" {
		t.Errorf("%+v %v", n, err)
	}
	h, err := serve("phone_number_get_blocked").HealthStatus(t.Context(), "tok", "900000000000101")
	if err != nil || h.CanSend != "BLOCKED" {
		t.Errorf("%+v %v", h, err)
	}
	info, err := serve("debug_token_ok").DebugToken(t.Context(), "tok", "tok")
	if err != nil || !info.Valid || info.AppID != "900000000000800" || len(info.Scopes) != 2 || !info.ExpiresAt.IsZero() {
		t.Errorf("%+v %v", info, err)
	}
	info, err = serve("debug_token_invalid").DebugToken(t.Context(), "tok", "tok")
	if err != nil || info.Valid || info.Code != 190 || info.ExpiresAt.IsZero() {
		t.Errorf("%+v %v", info, err)
	}
	raw, err := os.ReadFile("testdata/api/headers_business_use_case_usage.json")
	if err != nil {
		t.Fatal(err)
	}
	var headers map[string]json.RawMessage
	if err := json.Unmarshal(raw, &headers); err != nil {
		t.Fatal(err)
	}
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Business-Use-Case-Usage", strings.Join(strings.Fields(string(headers["X-Business-Use-Case-Usage"])), ""))
		w.WriteHeader(400)
		fmt.Fprint(w, `{"error":{"code":80007}}`)
	}, nil)
	if r := send(t, c); r.Outcome != whatsapp.RefusedForNow || r.RetryAfter != 12*time.Minute {
		t.Errorf("%+v", r)
	}
}
