// Package clock is the only source of the present time in Go code, so that a
// test can move it. Decisions about messages use the database's clock instead
// (bareed_now() in SQL); this one serves timeouts, headers and reports.
package clock

import (
	"context"
	"time"
)

// Clock returns the present instant in UTC.
type Clock func() time.Time

// System is the machine's own clock.
func System() time.Time { return time.Now().UTC() }

// Pause waits in real time; false when ctx ended first.
func Pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
