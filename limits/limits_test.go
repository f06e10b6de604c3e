package limits_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/id"
	"bareed/internal/redistest"
	"bareed/limits"
)

// stand is one limiter on its own Redis whose clock the test moves.
type stand struct {
	t     testing.TB
	rdb   *redis.Client
	shift atomic.Int64
	peak  time.Duration // the latest the moved clock has been, where a test puts it back
	*limits.Limiter
}

func newStand(t testing.TB) *stand {
	s := &stand{t: t, rdb: dial(t, options(redistest.Start(t)))}
	s.Limiter = limits.New(s.rdb, limits.Config{Timeout: time.Minute, Offset: func() time.Duration { return time.Duration(s.shift.Load()) }})
	return s
}

func (s *stand) pass(d time.Duration) { s.shift.Add(int64(d)) }

// now is the moved clock, as a duration.
func (s *stand) now() time.Duration {
	return time.Duration(time.Now().UnixNano() + s.shift.Load())
}

func (s *stand) take(a limits.Ask) limits.Grant {
	s.t.Helper()
	g, err := s.Take(s.t.Context(), a)
	if err != nil {
		s.t.Fatalf("take: %v", err)
	}
	return g
}

// warm makes the number known, past its first second.
func (s *stand) warm(n id.Number) {
	s.t.Helper()
	s.take(limits.Ask{Number: n, PerSecond: 1000})
	s.pass(2 * time.Second)
}

func between(t *testing.T, what string, got, low, high time.Duration) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s = %v, want %v to %v", what, got, low, high)
	}
}

func TestUnknownNumberStartsEmpty(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ask := limits.Ask{Number: id.New[id.Number](), PerSecond: 80, Bulk: true}
	began, granted := s.now(), 0
	g := s.take(ask)
	if g.OK || g.Reason != limits.Throughput {
		t.Fatalf("first take of an unknown number = %+v, want a refusal for throughput", g)
	}
	between(t, "retry", g.Retry, 900*time.Millisecond, limits.FirstDelay)
	s.pass(g.Retry)
	for range 20 {
		if s.take(ask).OK {
			granted++
		}
	}
	most := 3 + int((s.now()-began-g.Retry)/(12*time.Millisecond))
	if granted < 1 || granted > most {
		t.Errorf("%d departures at once after the first delay, want 1 to %d: there is no credit", granted, most)
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	ask := limits.Ask{Number: n, PerSecond: 80}
	var second limits.Grant
	for began := (time.Time{}); time.Since(began) > 400*time.Millisecond; { // again when the machine was away in between
		began, ask.Contact = time.Now(), id.New[id.Contact]()
		if first := s.take(ask); !first.OK {
			t.Fatalf("first message refused: %+v", first)
		}
		s.pass(time.Second)
		second = s.take(ask)
	}
	if second.OK || second.Reason != limits.Pair {
		t.Fatalf("second message within 6 s = %+v, want a refusal for the pair", second)
	}
	between(t, "retry", second.Retry, 4500*time.Millisecond, 5100*time.Millisecond)
	if g := s.take(limits.Ask{Number: n, Contact: id.New[id.Contact](), PerSecond: 80}); !g.OK {
		t.Errorf("another contact waits for this pair: %+v", g)
	}
	s.pass(second.Retry)
	if g := s.take(ask); !g.OK {
		t.Errorf("refused after the announced delay: %+v", g)
	}
}

func TestReleaseGivesOnlyItsOwnPairBack(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	ask := limits.Ask{Number: n, Contact: id.New[id.Contact](), PerSecond: 80}
	old := s.take(ask)
	if err := s.Release(t.Context(), ask, old); err != nil {
		t.Fatal(err)
	}
	s.pass(50 * time.Millisecond)
	began := time.Now()
	newer := s.take(ask)
	if !newer.OK {
		t.Fatalf("released pair still refused: %+v", newer)
	}
	if err := s.Release(t.Context(), ask, old); err != nil {
		t.Fatal(err)
	}
	s.pass(50 * time.Millisecond)
	if g := s.take(ask); (g.OK || g.Reason != limits.Pair) && time.Since(began) < 5*time.Second { // the pair's time
		t.Errorf("an old grant released a newer one's pair: %+v", g)
	}
}

func TestLateGrantIsExchanged(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	ask := limits.Ask{Number: n, Contact: id.New[id.Contact](), PerSecond: 80}
	late := s.take(ask)
	late.Depart = late.Depart.Add(-time.Second)
	if err := s.Depart(t.Context(), late); !errors.Is(err, limits.ErrLate) {
		t.Fatalf("depart = %v, want ErrLate", err)
	}
	s.pass(time.Second)
	ask.Held = late
	began := time.Now()
	fresh := s.take(ask)
	if !fresh.OK {
		t.Fatalf("exchange refused: %+v", fresh)
	}
	err := s.Depart(t.Context(), fresh)
	for tries := 0; errors.Is(err, limits.ErrLate) && tries < 50; tries++ { // the machine is busy
		ask.Held = fresh
		if g := s.take(ask); g.OK {
			fresh = g
			err = s.Depart(t.Context(), fresh)
		}
	}
	if err != nil {
		t.Errorf("depart: %v", err)
	}
	ask.Held = late
	s.pass(time.Second)
	if g := s.take(ask); (g.OK || g.Reason != limits.Pair) && time.Since(began) < 4*time.Second { // the pair's time
		t.Errorf("the same grant was exchanged twice: %+v", g)
	}
	if err := s.Depart(t.Context(), limits.Grant{}); !errors.Is(err, limits.ErrLate) {
		t.Errorf("a refusal departs: %v", err)
	}
}

func TestThrottledHalvesAndRecovers(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n, start := id.New[id.Number](), time.Now()
	full := 80 * limits.Margin
	rate := func() float64 {
		t.Helper()
		r, err := s.Rate(t.Context(), n, 80)
		if err != nil {
			t.Fatal(err)
		}
		return r / full
	}
	throttle := func(after time.Duration) {
		t.Helper()
		if err := s.Throttled(t.Context(), n, after); err != nil {
			t.Fatal(err)
		}
	}
	taken := func() float64 { return time.Since(start).Minutes() } // what the machine took: the share climbs meanwhile
	near := func(what string, got, want float64) {
		t.Helper()
		if got < want-.02 || got > want+.03+taken() {
			t.Errorf("%s: share %.3f, want %.3f", what, got, want)
		}
	}
	near("unknown number", rate(), 1)
	for began := (time.Time{}); time.Since(began) > 900*time.Millisecond; { // a burst is no longer than a second
		began, n = time.Now(), id.New[id.Number]()
		throttle(0)
		throttle(0)
	}
	near("two answers of one burst", rate(), .5)
	s.pass(1100 * time.Millisecond)
	throttle(0)
	near("a second later again", rate(), .26)
	s.pass(15 * time.Second)
	near("15 s later", rate(), .51)
	for range 8 {
		s.pass(1100 * time.Millisecond)
		throttle(0)
	}
	if r := rate(); r < 1.0/16-.001 || r > .1+taken() {
		t.Errorf("share after many = %.3f, want a sixteenth at least", r)
	}
	s.pass(time.Minute)
	near("a minute later", rate(), 1)
	began := time.Now()
	throttle(30 * time.Second)
	near("while Meta asked to wait", rate(), 0)
	g := s.take(limits.Ask{Number: n, PerSecond: 80})
	if g.OK || g.Reason != limits.Throughput {
		t.Errorf("take during the delay = %+v", g)
	}
	between(t, "retry", g.Retry, 29900*time.Millisecond-time.Since(began), 30*time.Second)
	throttle(24 * time.Hour)
	s.pass(61 * time.Second)
	if rate() == 0 {
		t.Error("a delay of a day was believed")
	}
}

func TestThrottledSpacesDepartures(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for try := 1; ; try++ { // while the machine is away nobody asks: fewer depart
		n := id.New[id.Number]()
		s.warm(n)
		if err := s.Throttled(t.Context(), n, 0); err != nil {
			t.Fatal(err)
		}
		count := 0
		for end := s.now() + time.Second; s.now() < end; {
			s.pass(2 * time.Millisecond)
			for s.take(limits.Ask{Number: n, PerSecond: 80}).OK {
				count++
			}
		}
		if count < 35 && try < 5 {
			continue
		}
		if count < 35 || count > 44 {
			t.Errorf("%d departures in a second at half of 80, want about 39", count)
		}
		return
	}
}

func TestRest(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	began := time.Now()
	for _, d := range []time.Duration{time.Minute, time.Second} {
		if err := s.Rest(t.Context(), n, d); err != nil {
			t.Fatal(err)
		}
	}
	g := s.take(limits.Ask{Number: n, PerSecond: 80})
	if g.OK || g.Reason != limits.Maintenance {
		t.Fatalf("take at rest = %+v", g)
	}
	between(t, "retry", g.Retry, 59*time.Second-time.Since(began), time.Minute)
	if r, err := s.Rate(t.Context(), n, 80); err != nil || r != 0 {
		t.Errorf("rate at rest = %v, %v", r, err)
	}
	s.pass(time.Minute)
	if g := s.take(limits.Ask{Number: n, PerSecond: 80}); !g.OK {
		t.Errorf("take after the rest = %+v", g)
	}
}

func TestClockPutBack(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	ask := limits.Ask{Number: n, PerSecond: 80}
	if g := s.take(ask); !g.OK {
		t.Fatalf("take = %+v", g)
	}
	s.pass(-2 * time.Hour)
	g := s.take(ask)
	if g.OK || g.Retry > limits.FirstDelay {
		t.Fatalf("take two hours earlier = %+v, want to wait a second", g)
	}
	s.pass(g.Retry)
	if g := s.take(ask); !g.OK {
		t.Errorf("the number is stuck: %+v", g)
	}
}

func TestReplyOvertakesBulk(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	bulk := limits.Ask{Number: n, PerSecond: 80, Bulk: true}
	reply := limits.Ask{Number: n, PerSecond: 80}
	var bulks, replies, due int
	var waited, longest, again time.Duration
	const ticks = 8000
	for tick := range ticks {
		s.pass(time.Millisecond / 2)
		for s.take(bulk).OK {
			bulks++
		}
		if tick%300 == 0 {
			due++
		}
		if again -= time.Millisecond / 2; due == 0 || again > 0 {
			waited += time.Millisecond / 2
			continue
		}
		g := s.take(reply)
		again = g.Retry
		if !g.OK {
			waited += time.Millisecond / 2
			continue
		}
		due--
		replies++
		longest, waited, again = max(longest, waited), 0, 0
	}
	seconds := float64(ticks) * .0005
	if got, want := float64(bulks)/seconds, .95*limits.Effective(80, 0); got < want {
		t.Errorf("bulk beside replies: %.1f/s, want %.1f", got, want)
	}
	if replies < ticks/300 {
		t.Errorf("%d replies left of %d, with head-room for all", replies, ticks/300+1)
	}
	if longest > 200*time.Millisecond {
		t.Errorf("a reply waited %v for a place", longest)
	}
}

func TestTakeRefusesNonsense(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	if _, err := s.Take(t.Context(), limits.Ask{Number: id.New[id.Number]()}); err == nil {
		t.Error("a number without a rate may send")
	}
}

func TestFailsClosed(t *testing.T) {
	t.Parallel()
	rdb := dial(t, &redis.Options{Network: "unix", Addr: t.TempDir() + "/nobody", ContextTimeoutEnabled: true})
	l := limits.New(rdb, limits.Config{Timeout: 200 * time.Millisecond})
	a := limits.Ask{Number: id.New[id.Number](), Contact: id.New[id.Contact](), PerSecond: 80}
	least := time.Hour
	for try := 0; try < 3 && least > 2*time.Second; try++ { // a busy machine only adds to it
		began := time.Now()
		g, err := l.Take(t.Context(), a)
		least = min(least, time.Since(began))
		if err == nil || g.OK {
			t.Fatalf("take without Redis = %+v, %v", g, err)
		}
		if strings.Contains(err.Error(), a.Contact.String()) {
			t.Error("the error names the contact")
		}
	}
	if least > 2*time.Second {
		t.Errorf("took %v to fail", least)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	n := id.New[id.Number]()
	s.warm(n)
	s.take(limits.Ask{Number: n, Contact: id.New[id.Contact](), PerSecond: 80})
	keys, err := s.rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 2 {
		t.Fatalf("keys = %v, %v, want two", keys, err)
	}
	for _, k := range keys {
		if !strings.HasPrefix(k, "bareed:{"+n.String()+"}:") {
			t.Errorf("key %s is not of this number", k)
		}
		if ttl := s.rdb.PTTL(t.Context(), k).Val(); ttl <= 0 {
			t.Errorf("key %s stays for ever", k)
		}
	}
}

func TestTranslateFollowsTheRedisClock(t *testing.T) {
	t.Parallel()
	base := time.Now()
	local := limits.Translate(base)
	us := func(ms int) int64 { return int64(ms) * 1000 }
	at := func(ms int) time.Time { return base.Add(time.Duration(ms) * time.Millisecond) }
	steps := []struct {
		name          string
		now           int // of Redis, which is 5,000 ms ahead at first
		before, after int
		want          int // local instant of now
	}{
		{"first answer, heard 10 ms late", 5000, 0, 10, 10},
		{"a quick one corrects it", 5100, 99, 101, 101},
		{"a slow answer changes nothing", 5200, 195, 280, 201},
		{"the Redis clock steps ahead", 9300, 299, 301, 301},
		{"and back", 5400, 399, 401, 399},
	}
	for _, s := range steps {
		if got := local(us(s.now), us(s.now), at(s.before), at(s.after)); !got.Equal(at(s.want)) {
			t.Errorf("%s: %v, want %v", s.name, got.Sub(base), at(s.want).Sub(base))
		}
	}
}
