// Package quota counts requests: per credential, per workspace, and per address
// for callers who are not known, and says in headers what is left.
//
// api/front asks it once for each request. It knows no route.
package quota

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"bareed/accounts"
	"bareed/internal/clock"
	"bareed/internal/errs"
)

// Rates are token buckets of this process: one per credential, one per workspace
// and, for callers who are not known, one per address; each holds one second's
// worth. They keep one caller from taking the process away from the others; they
// are no promise about throughput.
type Rates struct {
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

// New makes buckets of so many requests a second for a credential (or an address)
// and a workspace.
func New(now clock.Clock, key, workspace int) *Rates {
	return &Rates{now: now, key: float64(key), workspace: float64(workspace), buckets: make(map[string]*bucket)}
}

// quota is one policy that applies to a request, by its name in the headers.
type quota struct {
	name      string
	perSecond float64
	bucket    string
}

func (q quota) policy() string { return fmt.Sprintf(`"%s";q=%.0f;w=1`, q.name, q.perSecond) }

// Take counts one request of a known caller; rate.limited when it is one too many.
func (r *Rates) Take(h http.Header, a accounts.Actor) error {
	return r.count(h, quota{"key", r.key, "c:" + a.ID}, quota{"workspace", r.workspace, "w:" + a.Workspace.String()})
}

// TakeAddress counts one request of a caller who is not known.
func (r *Rates) TakeAddress(h http.Header, address string) error {
	return r.count(h, quota{"address", r.key, "a:" + address})
}

// count takes one from every quota, or none when one of them has none left, and
// writes the headers of the RateLimit draft (draft-ietf-httpapi-ratelimit-headers-10):
// every policy, and what is left of the tightest.
func (r *Rates) count(h http.Header, quotas ...quota) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var policies, violated []string
	var buckets []*bucket
	tightest := 0
	for i, q := range quotas {
		policies = append(policies, q.policy())
		b := r.fill(q.bucket, q.perSecond)
		buckets = append(buckets, b)
		if b.left < 1 {
			violated = append(violated, q.name)
		}
		if b.left < buckets[tightest].left {
			tightest = i
		}
	}
	h.Set("RateLimit-Policy", strings.Join(policies, ", "))
	if violated == nil {
		for _, b := range buckets {
			b.left--
		}
	}
	h.Set("RateLimit", fmt.Sprintf(`"%s";r=%.0f;t=1`, quotas[tightest].name, math.Floor(max(0, buckets[tightest].left))))
	if violated == nil {
		return nil
	}
	e := errs.New("rate.limited", "violated", violated)
	e.RetryAfter = time.Second
	return e
}

func (r *Rates) fill(name string, perSecond float64) *bucket {
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
func (r *Rates) forget(now time.Time) {
	for name, b := range r.buckets {
		if now.Sub(b.at) > time.Second {
			delete(r.buckets, name)
		}
	}
}

// Policy is the RateLimit-Policy header of an answer to a known caller.
func (r *Rates) Policy() string {
	return quota{"key", r.key, ""}.policy() + ", " + quota{"workspace", r.workspace, ""}.policy()
}
