// Package limits answers one question: may this number send now?
//
// It owns two of Meta's limits, throughput (messages a second of one number)
// and pair (one message in 6 s to one person), both shared by all workers
// through scripts in Redis. The worker is its only caller and asks before each
// POST. It knows nothing of campaigns, people or the portfolio's 24-hour limit,
// which is rows in PostgreSQL; and nothing is lost with its state: after an
// emptied Redis it starts without credit and is complete again a second later.
//
// How it paces. Every grant books a departure time on the Redis clock, at least
// MinAhead and at most MaxAhead from now, and departures of one number are never
// closer than the rate allows: no burst at all, since Meta counts arrivals in a
// sliding second and a burst at its edge would count twice. The intervals leave
// 3 % of the rate unused: that absorbs 30 ms of difference between the delays of
// two messages (wake-up, network) before a second could hold one message too
// many. A caller who is more than MaxLate behind its departure must ask again.
//
// Replies and bulk share these departures. Bulk has a second, longer interval
// that leaves the head-room, and may book only two thirds as far ahead as a
// reply: a reply never waits behind the bulk that is queueing for a place.
package limits

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/clock"
	"bareed/internal/id"
)

const (
	// margin is the part of Meta's rate that departures use; see the package comment.
	margin = 0.97
	// bulkMargin is the part of the effective limit (rate less head-room) that bulk uses.
	bulkMargin = 0.99
	// headRoom is the share kept for replies where the caller names none.
	headRoom = 0.10
	// pairSpacing is Meta's 6 s (messaging limits, "pair rate limits") and what
	// two messages may lose on each other on the way.
	pairSpacing = 6*time.Second + 50*time.Millisecond
	// firstDelay is how long a number without state waits for its first
	// departure. Departures booked before a loss of state lie at most MaxAhead
	// in the future, so any longer wait keeps the spacing across the loss; a
	// whole second also covers a replacement whose clock is behind, and requests
	// still under way. A number that never sent pays it once, which nobody notices.
	firstDelay = time.Second
	// smallestShare is what halving stops at; at 1 message a second its interval
	// still is far below the minute after which a departure counts as nonsense.
	smallestShare = 1.0 / 16
	// longestRest bounds Rest: longer stops are rows a person can see and clear.
	longestRest = time.Hour
	// longestHold bounds the delay taken from Meta's Retry-After.
	longestHold = time.Minute
)

// Reasons of a refusal, as in Grant.Reason.
const (
	Throughput  = "throughput"
	Pair        = "pair"
	Maintenance = "maintenance"
)

// ErrLate is returned by Depart when the moment has passed: POST nothing, and
// Take again with Ask.Held.
var ErrLate = errors.New("departure missed")

// errRate is a programmer's mistake, not a state of the number.
var errRate = errors.New("take: the number has no rate")

var errAnswer = errors.New("take: unexpected answer")

// Config of a Limiter; the zero value of every field is its default.
type Config struct {
	MinAhead time.Duration // least time to departure, more than Redis takes to answer; 20 ms
	MaxAhead time.Duration // most time to departure; 50 ms
	MaxLate  time.Duration // how long after its departure a grant is still good; 15 ms
	CatchUp  time.Duration // bulk's lost time that may be made good, never beyond Meta's rate; 100 ms, negative for none
	Timeout  time.Duration // of one question to Redis; 1 s
	Clock    clock.Clock   // this machine's clock; it must carry Go's monotonic reading

	// Offset is added to the Redis clock; for tests, nil otherwise.
	Offset func() time.Duration
}

// Limiter answers for all numbers. It is safe for concurrent use and holds no
// state but the difference of two clocks.
type Limiter struct {
	rdb   redis.UniversalClient
	cfg   Config
	lua   scripts
	redis redisClock
}

// New returns a limiter on a Redis that all workers share. The client should
// have ContextTimeoutEnabled, or the Timeout only bounds what go-redis waits
// for between its own time-outs.
func New(rdb redis.UniversalClient, cfg Config) *Limiter {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&cfg.MinAhead, 20*time.Millisecond)
	def(&cfg.MaxAhead, 50*time.Millisecond)
	def(&cfg.MaxLate, 15*time.Millisecond)
	def(&cfg.CatchUp, 100*time.Millisecond)
	def(&cfg.Timeout, time.Second)
	cfg.CatchUp = max(0, cfg.CatchUp)
	cfg.MinAhead = min(cfg.MinAhead, cfg.MaxAhead)
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	return &Limiter{rdb: rdb, cfg: cfg, lua: loadScripts(), redis: redisClock{base: cfg.Clock()}}
}

// Ask names one message about to be sent.
type Ask struct {
	Number    id.Number
	Contact   id.Contact // zero for a request that is no message: no pair is kept
	PerSecond int        // Meta's rate of this number: 80, 20 (coexistence) or 1,000
	Bulk      bool       // a campaign's message; false for a reply
	HeadRoom  float64    // share of the rate bulk leaves for replies; 0 is 0.1, negative is none
	Held      Grant      // an earlier grant of this same message that came too late, whose pair this one takes over
}

// Grant is the answer to an Ask.
type Grant struct {
	OK     bool
	Wait   time.Duration // until departure as of the answer, when OK; 0 to MaxAhead
	Depart time.Time     // the same instant on this machine's clock: what to sleep for
	Retry  time.Duration // when not OK: ask again after this
	Reason string        // when not OK: Throughput, Pair or Maintenance

	at int64 // departure on the Redis clock, µs: what the pair's key holds
}

// Take books a departure or says when to ask again. An error means that
// nothing is known, so nothing may be sent; a booking made behind a lost
// answer costs one unused departure, and the contact its 6 s.
func (l *Limiter) Take(ctx context.Context, a Ask) (Grant, error) {
	before := l.cfg.Clock()
	v, err := l.take(ctx, a)
	if err != nil {
		return Grant{}, err
	}
	if v.code != codeGranted {
		retry := time.Duration(v.instant-v.now) * time.Microsecond
		return Grant{Reason: reason(v.code), Retry: max(retry, time.Millisecond)}, nil
	}
	after := l.cfg.Clock()
	depart := l.redis.local(v.instant, v.now, before, after)
	return Grant{OK: true, Wait: max(0, depart.Sub(after)), Depart: depart, at: v.instant}, nil
}

// answer is what take.lua returns; times are µs of the Redis clock.
type answer struct{ code, instant, now int64 }

// The codes of take.lua.
const (
	codeGranted     = 1
	codeThroughput  = 2
	codePair        = 3
	codeMaintenance = 4
)

func (l *Limiter) take(ctx context.Context, a Ask) (answer, error) {
	if a.PerSecond <= 0 {
		return answer{}, errRate
	}
	keys := []string{numberKey(a.Number)}
	if !a.Contact.IsZero() {
		keys = append(keys, pairKey(a.Number, a.Contact))
	}
	v, err := l.run(ctx, "take", l.lua.take, keys, l.offset(),
		gap(float64(a.PerSecond)*margin), bulkGap(a), micros(l.cfg.MinAhead), micros(l.horizon(a.Bulk)),
		micros(l.cfg.CatchUp), micros(firstDelay), micros(pairSpacing), a.Held.at, micros(longestRest)).Int64Slice()
	if err != nil {
		return answer{}, err
	}
	if len(v) != 3 {
		return answer{}, errAnswer
	}
	return answer{code: v[0], instant: v[1], now: v[2]}, nil
}

// Depart sleeps until a grant's departure and tells whether it may be used:
// nil at that instant, ErrLate if MaxLate has passed since, or ctx's error.
// It is the last call before the POST.
func (l *Limiter) Depart(ctx context.Context, g Grant) error {
	if wait := g.Depart.Sub(l.cfg.Clock()); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
	if !g.OK || l.cfg.Clock().Sub(g.Depart) > l.cfg.MaxLate {
		return ErrLate
	}
	return nil
}

// Release gives the pair's place back when the message of a grant provably
// never left. Throughput is not given back: another message may already be
// spaced by it.
func (l *Limiter) Release(ctx context.Context, a Ask, g Grant) error {
	if !g.OK || a.Contact.IsZero() {
		return nil
	}
	return l.run(ctx, "release pair", l.lua.release, []string{pairKey(a.Number, a.Contact)}, g.at).Err()
}

// Throttled is called when Meta answered 130429 (the number's throughput is
// exceeded). The rate is halved, once a second at most and not below a
// sixteenth, and climbs back evenly within 60 s. With retryAfter, at most a
// minute, nothing departs that long.
func (l *Limiter) Throttled(ctx context.Context, n id.Number, retryAfter time.Duration) error {
	hold := min(max(retryAfter, 0), longestHold)
	share := int64(math.Round(smallestShare * 1e6))
	return l.run(ctx, "throttle", l.lua.throttle, []string{numberKey(n)}, l.offset(), micros(hold), share).Err()
}

// Rest lets nothing of the number depart for d, at most an hour; used for 131057
// (the number is in maintenance while Meta upgrades it, up to about a minute).
// It is a courtesy that an emptied Redis forgets: what must hold is a stop.
func (l *Limiter) Rest(ctx context.Context, n id.Number, d time.Duration) error {
	d = min(max(d, 0), longestRest)
	return l.run(ctx, "rest", l.lua.rest, []string{numberKey(n)}, l.offset(), micros(d), micros(longestRest)).Err()
}

// Rate is how many messages a second of any kind the number may send at this
// moment: perSecond less the margin, less what 130429 took; 0 during a rest.
func (l *Limiter) Rate(ctx context.Context, n id.Number, perSecond int) (float64, error) {
	cmd := l.run(ctx, "rate", l.lua.rate, []string{numberKey(n)}, l.offset(), micros(longestRest))
	share, err := cmd.Int64()
	if err != nil {
		return 0, err
	}
	return float64(perSecond) * margin * float64(share) / 1e6, nil
}

// Effective is the limit bulk is measured against, messages a second: the
// number's rate less the head-room (as in Ask.HeadRoom).
func Effective(perSecond int, headRoom float64) float64 {
	return float64(perSecond) * (1 - room(headRoom))
}

func room(share float64) float64 {
	switch {
	case share == 0:
		return headRoom
	case share < 0:
		return 0
	}
	return min(share, 0.9)
}

// gap is the interval in whole µs, rounded up: never faster than the rate.
func gap(perSecond float64) int64 { return int64(math.Ceil(1e6 / perSecond)) }

func bulkGap(a Ask) int64 {
	if !a.Bulk {
		return 0
	}
	return gap(Effective(a.PerSecond, a.HeadRoom) * bulkMargin)
}

// horizon leaves the last third of the time ahead to replies.
func (l *Limiter) horizon(bulk bool) time.Duration {
	if !bulk {
		return l.cfg.MaxAhead
	}
	return l.cfg.MaxAhead - (l.cfg.MaxAhead-l.cfg.MinAhead)/3
}

func reason(code int64) string {
	switch code {
	case codePair:
		return Pair
	case codeMaintenance:
		return Maintenance
	}
	return Throughput
}
