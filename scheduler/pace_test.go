package scheduler

import (
	"testing"
	"time"

	"bareed/internal/id"
)

// A pace that is no whole number of messages a look is kept all the same.
func TestSlowPaces(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for _, perMinute := range []int{1, 7, 50, 55, 59, 60, 100, 119, 1000} {
		f := newFeeder()
		r := feedRun{Run: id.New[id.Run](), Number: id.New[id.Number](), PerMinute: &perMinute, PerSecond: 80}
		sent := 0
		for at := begin; at.Before(begin.Add(10 * time.Minute)); at = at.Add(tick) {
			f.flow(r, at)
			n := f.allowed(r, 1000, at)
			f.spend(r, n, at)
			sent += n
		}
		few := 2 + perMinute/300 // of the last look
		if want := 10 * perMinute; sent < want-few || sent > want+few {
			t.Errorf("%d a minute: %d messages in ten minutes, want %d", perMinute, sent, want)
		}
	}
}
