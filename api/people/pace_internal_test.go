package people

import (
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"bareed/internal/errs"
)

// C22: an upload below the least pace is stopped after one window, also when
// nothing comes at all.
func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	var until time.Time
	p := &pace{src: iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 1000))), now: clock, deadline: func(d time.Time) error { until = d; return nil }}
	b := make([]byte, 10)
	for range 60 {
		if _, err := p.Read(b); err != nil {
			t.Fatalf("stopped within the first window: %v", err)
		}
		now = now.Add(time.Second)
	}
	if _, err := p.Read(b); !errs.Is(err, "upload.too_slow") {
		t.Fatalf("one byte a second: %v", err)
	}
	if until.IsZero() {
		t.Fatal("no deadline was set on the connection")
	}
	p = &pace{src: iotest.ErrReader(os.ErrDeadlineExceeded), now: clock, deadline: func(time.Time) error { return nil }}
	if _, err := p.Read(b); !errs.Is(err, "upload.too_slow") {
		t.Fatalf("nothing comes: %v", err)
	}
	p = &pace{src: strings.NewReader(strings.Repeat("x", 10*minPace)), now: clock, deadline: func(time.Time) error { return nil }}
	big := make([]byte, minPace)
	for range 5 {
		if _, err := p.Read(big); err != nil {
			t.Fatalf("a good pace: %v", err)
		}
		now = now.Add(paceWindow)
	}
}
