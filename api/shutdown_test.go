package api_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"bareed/internal/fixture"
)

// TestShutdownEndsStreams: an open event stream does not hold the process when
// it is told to stop; the stream ends as a whole answer. A busy machine only adds
// to the time, so that one of a few tries decides.
func TestShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	const tries = 3
	for try := 1; ; try++ {
		took := stopBesideStreams(t)
		if took <= 5*time.Second {
			return
		}
		if try == tries {
			t.Fatalf("stopping took %s", took)
		}
	}
}

// stopBesideStreams tells a server with open streams to stop, and how long it took.
func stopBesideStreams(t *testing.T) (took time.Duration) {
	t.Helper()
	r := newRig(t)
	campaign := fixture.Object(t, r.pool, r.vault, r.tenant, "campaign")
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- r.server.Run(ctx, ln) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var bodies []*bufio.Reader
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String()+"/v1/campaigns/"+campaign+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+r.key)
		req.Header.Set("Accept", "text/event-stream")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body := bufio.NewReader(res.Body)
		if line, err := body.ReadString('\n'); err != nil || line != "retry: 1000\n" {
			t.Fatalf("the stream begins with %q: %v", line, err)
		}
		bodies = append(bodies, body)
	}
	began := time.Now()
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the server stopped with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("open streams hold the server")
	}
	took = time.Since(began)
	for _, body := range bodies {
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Errorf("a stream was cut off: %v", err)
		}
	}
	return took
}
