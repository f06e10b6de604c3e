package client_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bareed/client"
)

// said is one answer a server gives.
type said struct {
	status     int
	code       string
	retryAfter string
}

// seen are the requests that came, as "METHOD Idempotency-Key".
type seen struct {
	mu   sync.Mutex
	list []string
}

func (s *seen) add(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, r.Method+" "+r.Header.Get("Idempotency-Key"))
	return len(s.list)
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// server gives answers in turn, the last one again and again.
func server(t *testing.T, answers ...said) (*client.Client, *seen) {
	t.Helper()
	came := &seen{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		a := answers[min(came.add(r), len(answers))-1]
		if a.status == 0 {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		if a.retryAfter != "" {
			w.Header().Set("Retry-After", a.retryAfter)
		}
		if a.status < 300 {
			w.WriteHeader(a.status)
			_, _ = io.WriteString(w, `{"id":"aud_1"}`)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(a.status)
		_, _ = fmt.Fprintf(w, `{"status":%d,"code":%q,"detail":"d","request_id":%q,"errors":[{"pointer":"/name","code":"field.required","detail":"needed"}]}`, a.status, a.code, cmp.Or(r.Header.Get("X-Request-Id"), "req_1"))
	}))
	t.Cleanup(srv.Close)
	c, err := client.New(client.Config{URL: srv.URL + "/", Key: "bk_test_x", HTTP: srv.Client(), MaxWait: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c, came
}

// What may be repeated is, with the same key; what may not is not.
func TestTries(t *testing.T) {
	t.Parallel()
	get := func(c *client.Client, t *testing.T) error { _, err := c.GetAudience(t.Context(), "aud_1"); return err }
	post := func(c *client.Client, t *testing.T) error { _, err := c.CreateAudience(t.Context(), "x"); return err }
	remove := func(c *client.Client, t *testing.T) error { return c.DeleteAudience(t.Context(), "aud_1") }
	ok := said{status: 200}
	for name, tc := range map[string]struct {
		call    func(*client.Client, *testing.T) error
		answers []said
		tries   int
		code    string // of the error; "" for none, "?" for one without
	}{
		"a GET waits":                 {get, []said{{429, "rate.limited", "0"}, ok}, 2, ""},
		"a POST waits":                {post, []said{{429, "rate.limited", "0"}, {503, "timeout", "1"}, ok}, 3, ""},
		"a DELETE was not begun":      {remove, []said{{429, "rate.limited", "0"}, ok}, 2, ""},
		"a DELETE may be half done":   {remove, []said{{503, "timeout", "1"}, ok}, 1, "timeout"},
		"the first still runs":        {post, []said{{409, "idempotency.in_progress", "1"}, ok}, 2, ""},
		"a conflict stays one":        {post, []said{{409, "name.taken", ""}, ok}, 1, "name.taken"},
		"503 without a time":          {get, []said{{503, "timeout", ""}, ok}, 1, "timeout"},
		"500":                         {get, []said{{500, "internal", ""}, ok}, 1, "internal"},
		"longer than one waits":       {get, []said{{429, "rate.limited", "3600"}, ok}, 1, "rate.limited"},
		"guessing passwords":          {get, []said{{429, "auth.too_many_tries", "1"}, ok}, 1, "auth.too_many_tries"},
		"a broken connection, GET":    {get, []said{{}, ok}, 2, ""},
		"a broken connection, POST":   {post, []said{{}, ok}, 2, ""},
		"a broken connection, DELETE": {remove, []said{{}, ok}, 1, "?"},
		"in the end one gives up":     {get, []said{{429, "rate.limited", "0"}}, 4, "rate.limited"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, came := server(t, tc.answers...)
			err := tc.call(c, t)
			keys := came.all()
			if (err == nil) != (tc.code == "") || tc.code != "" && tc.code != "?" && !client.IsCode(err, tc.code) {
				t.Errorf("ended with %v, want %q", err, tc.code)
			}
			if len(keys) != tc.tries {
				t.Errorf("%d tries, want %d", len(keys), tc.tries)
			}
			for _, k := range keys {
				if k != keys[0] || strings.HasPrefix(k, "POST") != (len(k) > len("DELETE ")) {
					t.Errorf("keys %q", keys)
				}
			}
		})
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	c, keys := server(t, said{422, "invalid", ""})
	_, err := c.CreateAudience(t.Context(), "", client.IdempotencyKey("mine"))
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 422 || p.Code != "invalid" || p.RequestID != "req_1" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/name" {
		t.Fatalf("%#v", err)
	}
	if want := "POST /v1/audiences: 422 invalid: d /name: needed (req_1)"; err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
	if came := keys.all(); came[0] != "POST mine" {
		t.Errorf("key %q", came)
	}
	if _, err = c.CreateAudience(t.Context(), "", client.RequestID("req_mine")); !errors.As(err, &p) || p.RequestID != "req_mine" {
		t.Errorf("with an id of its own: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "bareed.example", "ftp://bareed.example", "https://", "://"} {
		if _, err := client.New(client.Config{URL: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	c, keys := server(t, said{status: 200})
	if _, err := c.GetAudience(t.Context(), "../me?x=1#/"); err != nil || len(keys.all()) != 1 {
		t.Errorf("%v", err)
	}
}

// A file that can be read once only is sent once only.
func TestUploadOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file  io.Reader
		tries int
	}{"a stream": {io.MultiReader(strings.NewReader("phone\n")), 1}, "a file": {strings.NewReader("phone\n"), 2}} {
		c, keys := server(t, said{429, "rate.limited", "0"}, said{status: 202})
		_, err := c.CreateImport(t.Context(), "aud_1", client.Upload{File: tc.file})
		if len(keys.all()) != tc.tries || (err == nil) != (tc.tries == 2) {
			t.Errorf("%s: %d tries, %v", name, len(keys.all()), err)
		}
	}
}

// A stream that breaks goes on behind the last event.
func TestFollowAgain(t *testing.T) {
	t.Parallel()
	var from []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from = append(from, r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "text/event-stream")
		n := len(from)
		_, _ = fmt.Fprintf(w, "retry: 1000\n\n: a comment\n\nid: %d\r\nevent: campaign.x\r\ndata: {\"sequence\":%d,\r\ndata: \"type\":\"campaign.x\"}\r\n\r\n", n, n)
		_, _ = fmt.Fprintf(w, "event: figures\ndata: {\"total\":%d}\n\nid: 99\ndata: {\"sequence\":99", n) // cut short
	}))
	t.Cleanup(srv.Close)
	c, err := client.New(client.Config{URL: srv.URL, Key: "bk_test_x"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for u, err := range c.FollowEvents(t.Context(), "cmp_1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if u.Figures != nil {
			got = append(got, fmt.Sprint("total ", u.Figures.Total))
		} else {
			got = append(got, fmt.Sprint(u.Event.Sequence))
		}
		if len(got) == 5 {
			break
		}
	}
	if s := strings.Join(got, ", "); s != "1, total 1, 2, total 2, 3" || strings.Join(from, " ") != "0 1 2" {
		t.Errorf("got %s, from %v", s, from)
	}
}
