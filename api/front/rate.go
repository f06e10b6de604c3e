package front

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"bareed/accounts"
	"bareed/internal/clock"
	"bareed/internal/errs"
)

// rates are token buckets of this process: one per credential and one per
// workspace, each holding one second's worth. They keep one caller from taking
// the process away from the others; they are no promise about throughput.
type rates struct {
	now       clock.Clock
	key       float64
	workspace float64

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory; full ones are forgotten, which loses nothing.
const maxBuckets = 10_000

func newRates(now clock.Clock, key, workspace int) *rates {
	return &rates{now: now, key: float64(key), workspace: float64(workspace), buckets: make(map[string]*bucket)}
}

// take counts one request and writes the headers of the RateLimit draft
// (draft-ietf-httpapi-ratelimit-headers-10); rate.limited when there is none left.
func (r *rates) take(h http.Header, a accounts.Actor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, workspace := r.fill("c:"+a.ID, r.key), r.fill("w:"+a.Workspace.String(), r.workspace)
	h.Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%.0f;w=1, "workspace";q=%.0f;w=1`, r.key, r.workspace))
	if key.left < 1 || workspace.left < 1 {
		h.Set("RateLimit", `"key";r=0;t=1`)
		e := errs.New("rate.limited")
		e.RetryAfter = time.Second
		return e
	}
	key.left--
	workspace.left--
	h.Set("RateLimit", fmt.Sprintf(`"key";r=%.0f;t=1`, math.Floor(min(key.left, workspace.left))))
	return nil
}

func (r *rates) fill(name string, perSecond float64) *bucket {
	now := r.now()
	b, ok := r.buckets[name]
	if !ok {
		if len(r.buckets) >= maxBuckets {
			r.forget(now)
		}
		b = &bucket{left: perSecond, at: now}
		r.buckets[name] = b
	}
	b.left = min(perSecond, b.left+now.Sub(b.at).Seconds()*perSecond)
	b.at = now
	return b
}

// forget drops buckets that are full again, after a second without a request.
func (r *rates) forget(now time.Time) {
	for name, b := range r.buckets {
		if now.Sub(b.at) > time.Second {
			delete(r.buckets, name)
		}
	}
}
