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
	for _, look := range []time.Duration{tick, 3 * tick, 5 * tick} { // a leader with much to do looks less often
		for _, perMinute := range []int{1, 7, 50, 55, 59, 60, 100, 119, 1000, 2400} {
			f := newFeeder()
			r := feedRun{Run: id.New[id.Run](), Number: id.New[id.Number](), PerMinute: &perMinute, PerSecond: 80}
			sent := 0
			for at := begin; at.Before(begin.Add(10 * time.Minute)); at = at.Add(look) {
				f.flow(r, at)
				n := f.allowed(r, 1000, at)
				f.spend(r, n)
				sent += n
			}
			few := 2 + int(float64(perMinute)/60*look.Seconds()) // of the last look
			if want := 10 * perMinute; sent < want-few || sent > want+few {
				t.Errorf("%d a minute, looked at every %v: %d messages in ten minutes, want %d", perMinute, look, sent, want)
			}
		}
	}
}
