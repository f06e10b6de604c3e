package wire_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bareed/internal/prove/wire"
)

func TestLink(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	t.Cleanup(s.Close)
	n := wire.New()
	t.Cleanup(n.Close)
	l, err := n.Add("x", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answers := func(d time.Duration) bool {
		c := http.Client{Timeout: d, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := c.Get("http://" + l.Address)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return err == nil && string(b) == "here"
	}
	heal := func() {
		t.Helper()
		if err := l.Heal(); err != nil {
			t.Fatal(err)
		}
		if !answers(10 * time.Second) {
			t.Fatal("no answer through a link that is well")
		}
	}
	heal()
	l.Cut()
	if answers(time.Second) {
		t.Error("an answer through a link that is cut")
	}
	heal()
	if err := l.Mute(); err != nil {
		t.Fatal(err)
	}
	if answers(500 * time.Millisecond) {
		t.Error("an answer through a link that swallows them")
	}
	heal()
	if err := l.Slow(300 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if !answers(10*time.Second) || time.Since(began) < 100*time.Millisecond {
		t.Errorf("through a slow link it took %s", time.Since(began))
	}
	heal()
}
