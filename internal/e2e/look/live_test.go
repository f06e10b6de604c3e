//go:build unix

package look_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"bareed/internal/clock"
)

// A page that exchanges its elements all the time, as one that is live may, is
// clicked and filled all the same, as often as one asks.
func TestElementsThatArePutAnewAllTheTime(t *testing.T) {
	t.Parallel()
	b := needs(t, false)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, sound, "en", "ltr", "Page", "Heading", `<p id="far" style="margin-top:3000px"><button id="go" onmousedown="n++">Go</button> <input id="name"></p>
			<script>let n = 0; setInterval(() => { const p = document.getElementById("far"); if (p.matches(":active, :focus-within")) return;
				p.replaceWith(p.cloneNode(true)); }, 1);</script>`)
	}))
	t.Cleanup(server.Close)
	tab, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Open(server.URL + "/"); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := tab.Click("#go"); err != nil {
			t.Fatalf("the click %d: %v", i, err)
		}
		if err := tab.Until("the click", fmt.Sprintf("n === %d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tab.Fill("#name", "Sara"); err != nil {
		t.Fatal(err)
	}
	if err := tab.Until("the name", `document.getElementById("name").value === "Sara"`); err != nil {
		t.Error(err)
	}
}

// The product's script exchanges a button under a press only after the press: a
// click whose press and release meet different elements does nothing.
func TestALivePageKeepsWhatIsPressed(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("../../../web/ui/assets/bareed.js")
	if err != nil {
		t.Fatal(err)
	}
	b := needs(t, false)
	var sent atomic.Int64
	stream := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := int64(1); clock.Pause(r.Context(), 20*time.Millisecond); n++ {
			fmt.Fprintf(w, "event: fragments\ndata: <div id=\"acts\"><form method=\"post\"><button id=\"go\">Go</button></form> <b id=\"count\">%d</b></div>\n\n", n)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			sent.Store(n)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/bareed.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
		case r.URL.Path == "/live":
			stream(w, r)
		case r.Method == http.MethodPost:
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>There</title><p>Pressed</p>")
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, sound, "en", "ltr", "Page", "Heading", `<div data-live="/live"><div id="acts"></div></div><script src="/bareed.js"></script>`)
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	tab, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Close)
	if err := tab.Open(server.URL + "/"); err != nil {
		t.Fatal(err)
	}
	if err := tab.Hold("#go", func() error {
		for end := sent.Load() + 5; sent.Load() < end; {
			if !clock.Pause(t.Context(), 5*time.Millisecond) {
				return t.Context().Err()
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := tab.See("Pressed"); err != nil {
		t.Error(err)
	}
}
