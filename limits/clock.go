package limits

import (
	"sync"
	"time"
)

// redisClock tells where an instant of the Redis clock lies on this machine's
// monotonic clock. Sleeping "wait" from the moment of the answer would be off
// by as long as the answer was under way, which on a busy machine is more than
// the limiter can absorb.
//
// Each answer proves that its Redis instant lay between asking and hearing.
// The difference of the clocks is kept inside the latest such bound and moves
// only when a bound forces it: it ends within the shortest recent round trip
// of the truth, and follows drift, a changed clock and a new server.
type redisClock struct {
	base time.Time

	mu    sync.Mutex
	known bool
	shift time.Duration // local time since base, less the Redis instant
}

// local translates instant (µs of the Redis clock) to this machine's clock,
// having heard between before and after that Redis had now.
func (c *redisClock) local(instant, now int64, before, after time.Time) time.Time {
	at := func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
	low, high := before.Sub(c.base)-at(now), after.Sub(c.base)-at(now)
	c.mu.Lock()
	if !c.known {
		c.known, c.shift = true, high
	}
	c.shift = min(max(c.shift, low), high)
	shift := c.shift
	c.mu.Unlock()
	return c.base.Add(at(instant) + shift)
}
