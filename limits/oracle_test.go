package limits_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/internal/rounds"
	"bareed/limits"
)

// oracle knows every departure of one number and judges a new one by brute
// force. Instants are µs of the Redis clock.
type oracle struct {
	number   id.Number
	rate     int
	room     float64
	departed []departure
	pairs    map[id.Contact]int64
}

type departure struct {
	at   int64
	bulk bool
}

const second = int64(time.Second / time.Microsecond)

func (o *oracle) judge(t *testing.T, step int, a limits.Ask, at, now int64) {
	t.Helper()
	if ahead := time.Duration(at-now) * time.Microsecond; ahead < 20*time.Millisecond || ahead > 50*time.Millisecond {
		t.Fatalf("step %d: departure %v ahead", step, ahead)
	}
	if last, ok := o.pairs[a.Contact]; ok && at-last < 6*second {
		t.Fatalf("step %d: pair again after %d µs", step, at-last)
	}
	o.departed = append(o.departed, departure{at, a.Bulk})
	o.pairs[a.Contact] = at
	all, bulk := 0, 0
	for i := len(o.departed) - 1; i >= 0; i-- {
		d := o.departed[i]
		if d.at > at {
			t.Fatalf("step %d: departs %d µs before an earlier grant", step, d.at-at)
		}
		if d.at <= at-second-30_000 { // and 30 ms of difference on the way
			break
		}
		all++
		if d.bulk {
			bulk++
		}
	}
	if all > o.rate {
		t.Fatalf("step %d: %d departures in a second and 30 ms at %d/s", step, all, o.rate)
	}
	// 130 ms: what bulk may catch up, and how far ahead it books.
	most := int((1.03+.130)*limits.Effective(o.rate, o.room)*limits.BulkMargin) + 1
	if bulk > most {
		t.Fatalf("step %d: %d bulk departures, want at most %d", step, bulk, most)
	}
}

func (o *oracle) forget() { o.departed, o.pairs = nil, map[id.Contact]int64{} }

// TestAgainstOracle takes 5,000 random steps, or 20,000, with several numbers, a clock
// that jumps both ways, lost state, throttling and rests.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	numbers := []*oracle{{rate: 80}, {rate: 1000, room: .2}, {rate: 20}, {rate: 1000, room: -1}, {rate: 3}}
	for _, o := range numbers {
		o.number = id.New[id.Number]()
		o.forget()
	}
	contacts := make([]id.Contact, 300)
	for i := range contacts {
		contacts[i] = id.New[id.Contact]()
	}
	granted, refused, steps := 0, map[string]int{}, rounds.Of(20_000)
	for step := range steps {
		o := numbers[r.IntN(len(numbers))]
		s.disturb(t, r, o, numbers)
		a := limits.Ask{
			Number: o.number, Contact: contacts[r.IntN(len(contacts))],
			PerSecond: o.rate, HeadRoom: o.room, Bulk: r.IntN(4) > 0,
		}
		ok, why, at, now, err := s.TakeRaw(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			refused[why]++
			if at <= now {
				t.Fatalf("step %d: come back %d µs ago", step, now-at)
			}
			continue
		}
		granted++
		o.judge(t, step, a, at, now)
	}
	t.Logf("granted %d, refused %v", granted, refused)
	if granted < steps/10 || len(refused) != 3 {
		t.Errorf("granted %d, refused %v: the steps do not exercise every rule", granted, refused)
	}
}

// disturb moves the clock and now and then does what happens to a limiter.
func (s *stand) disturb(t *testing.T, r *rand.Rand, o *oracle, all []*oracle) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.pass(time.Duration(r.IntN(3000)) * time.Microsecond)
	switch n := r.IntN(4000); {
	case n < 40: // a pause
		s.pass(time.Duration(r.IntN(3000)) * time.Millisecond)
	case n < 44: // the clock is put back a little: the spacing holds through it
		s.peak = max(s.peak, s.now())
		s.pass(-time.Duration(r.IntN(2000)) * time.Millisecond)
		for _, o := range all {
			clear(o.pairs) // a pair's key goes by real time
		}
	case n < 46: // and by more than the limiter believes: a new life
		s.pass(-2 * time.Hour)
		s.peak = 0
		must(s.rdb.FlushAll(t.Context()).Err())
		for _, o := range all {
			o.forget()
		}
	case n < 56: // the state is lost, what departed is not
		if s.now()+900*time.Millisecond < s.peak {
			return // and the clock besides, by more than the first delay covers
		}
		must(s.rdb.Del(t.Context(), "bareed:{"+o.number.String()+"}:limit").Err())
	case n < 66:
		must(s.Throttled(t.Context(), o.number, time.Duration(r.IntN(2))*50*time.Millisecond))
	case n < 76:
		must(s.Rest(t.Context(), o.number, 100*time.Millisecond))
	}
}
