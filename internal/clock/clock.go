// Package clock is the only source of the present time in Go code, so that a
// test can move it. Decisions about messages use the database's clock instead
// (bareed_now() in SQL); this one serves timeouts, headers and reports.
package clock

import "time"

// Clock returns the present instant in UTC.
type Clock func() time.Time

// System is the machine's own clock.
func System() time.Time { return time.Now().UTC() }
