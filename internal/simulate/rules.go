//go:build unix

package simulate

import (
	"fmt"
	"io"
	"math"
	"time"

	"bareed/campaigns/forecast"
	"bareed/internal/id"
	"bareed/scheduler"
)

// RulesOptions say what the rules alone are driven with: portfolios one after
// the other, each with as many campaigns as numbers.
type RulesOptions struct {
	Portfolios int
	Numbers    int // of each portfolio
	People     int // of each number's campaign
	Limit      int
	Rate       int
	Reserve    float64
	Seed       uint64
	Rises      bool
	Failures   float64
	Late       float64
}

// RunRules drives the rules without SQL, Redis or scripts: places as
// numbers/places keeps them, the feed's credit and its look five times a second,
// the limiter's spacing. Meta's part and the judge are those of Run. The result
// sums up all portfolios; its error is the largest of any.
func RunRules(o RulesOptions) Result {
	sum := Result{Line: "limit_stays", People: o.Portfolios * o.Numbers * o.People, Limit: o.Limit, Rate: o.Rate, Reserve: o.Reserve,
		Numbers: o.Portfolios * o.Numbers, Seed: o.Seed}
	if o.Rises {
		sum.Line = "limit_rises"
	}
	for i := range o.Portfolios {
		one := o
		one.Seed += uint64(i)
		r := newRules(one).run()
		sum.Sent, sum.Delivered, sum.Failed, sum.Left = sum.Sent+r.Sent, sum.Delivered+r.Delivered, sum.Failed+r.Failed, sum.Left+r.Left
		sum.Exceeded, sum.RateOver, sum.Twice, sum.Most = sum.Exceeded+r.Exceeded, sum.RateOver+r.RateOver, sum.Twice+r.Twice, max(sum.Most, r.Most)
		if r.ErrorPct >= sum.ErrorPct {
			sum.Predicted, sum.Actual, sum.ErrorPct = r.Predicted, r.Actual, r.ErrorPct
		}
	}
	return sum
}

// rules is one portfolio.
type rules struct {
	RulesOptions
	meta  *meta
	book  book
	lanes []*ruledLane
	begun time.Time
	now   time.Time
	sweep time.Time
	last  time.Time
	turn  int
	sent  int
	left  int
}

// ruledLane is one number with its campaign.
type ruledLane struct {
	number  id.Number
	next    int // the first person not handed over
	credit  float64
	at      time.Time // of the credit
	departs time.Time // of the last message
}

func newRules(o RulesOptions) *rules {
	begun := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	d := &rules{RulesOptions: o, begun: begun, now: begun, sweep: begun, left: o.Numbers * o.People,
		meta: newMeta(Options{Limit: o.Limit, Rate: o.Rate, Seed: o.Seed, Rises: o.Rises, Failures: o.Failures, Late: o.Late, Out: io.Discard}),
		book: book{limit: o.Limit, kept: o.Reserve, held: map[string]*place{}}}
	for range o.Numbers {
		d.lanes = append(d.lanes, &ruledLane{number: id.New[id.Number](), at: begun.Add(-scheduler.Tick)})
	}
	return d
}

// predicted is what package forecast says, of the last campaign beside the others.
func (d *rules) predicted() time.Duration {
	rate := forecast.BulkRate(d.Rate, false)
	in := forecast.Input{Now: d.begun, People: int64(d.People), Limit: int64(d.Limit), Reserve: d.Reserve, PerSecond: rate, Good: true}
	for range d.Numbers - 1 {
		in.Others = append(in.Others, forecast.Other{Starts: d.begun, People: int64(d.People), PerSecond: rate})
	}
	f := forecast.Predict(in)
	line := f.Stays
	if d.Rises && f.Rises != nil {
		line = *f.Rises
	}
	if line.EndsAt == nil {
		return 0
	}
	return line.EndsAt.Sub(d.begun)
}

func (d *rules) run() Result {
	predicted := d.predicted()
	for end := d.begun.Add(3*predicted + 48*time.Hour); d.now.Before(end); {
		busy := d.look()
		if busy {
			d.now = d.now.Add(scheduler.Tick)
			continue
		}
		next, more := d.next()
		if !more {
			break
		}
		d.now = next
		for d.sweep.Before(next) {
			d.sweep = d.sweep.Add(sweepEvery)
		}
	}
	r := Result{Predicted: seconds(predicted), Actual: seconds(d.last.Sub(d.begun)), Sent: d.sent, Left: d.left, Delivered: d.meta.delivered,
		Failed: d.meta.failed, Most: d.meta.people.Most, Exceeded: d.meta.exceeded, RateOver: d.meta.over, Twice: d.meta.twice}
	r.compare()
	return r
}

// look is one tick: receipts, the sweep, the feed.
func (d *rules) look() (busy bool) {
	for _, c := range d.meta.hear(d.now) {
		if c.failed {
			d.book.free(c.person)
		} else {
			d.book.count(c.person, d.now)
		}
	}
	d.book.limit = d.meta.limit
	if !d.now.Before(d.sweep) {
		d.book.sweep(d.now)
		for !d.sweep.After(d.now) {
			d.sweep = d.sweep.Add(sweepEvery)
		}
	}
	for i := range d.lanes {
		at := (i + d.turn) % len(d.lanes)
		busy = d.feed(at, d.lanes[at]) || busy
	}
	d.turn++
	return busy
}

// feed hands over what a lane's credit allows and what has places, spread over
// the tick, each no closer behind the one before than the limiter permits.
func (d *rules) feed(number int, l *ruledLane) bool {
	rate := forecast.BulkRate(d.Rate, false)
	l.credit = min(l.credit+rate*d.now.Sub(l.at).Seconds(), max(1+rate*scheduler.Tick.Seconds(), rate*catchUp.Seconds()))
	l.at = d.now
	n := min(int(l.credit), d.People-l.next)
	gap := time.Duration(float64(time.Second) / (float64(d.Rate) * 0.9 * 0.99))
	for i := range n {
		person := fmt.Sprintf("%d.%d", number, l.next)
		if !d.book.reserve(person, d.now) {
			return i > 0
		}
		at := d.now.Add(scheduler.Tick * time.Duration(i) / time.Duration(n))
		if least := l.departs.Add(gap); at.Before(least) {
			at = least
		}
		l.departs = at
		l.next, l.credit = l.next+1, l.credit-1
		d.sent, d.left = d.sent+1, d.left-1
		d.meta.post(l.number, person, person, at)
		if at.After(d.last) {
			d.last = at
		}
	}
	return n > 0
}

// catchUp is how much lost time the feed makes good.
const catchUp = 400 * time.Millisecond

// next is when something can happen again; false when all is done.
func (d *rules) next() (time.Time, bool) {
	if d.left == 0 && len(d.meta.coming) == 0 {
		return d.now, false
	}
	next := time.Unix(math.MaxInt32, 0)
	soon := func(at time.Time) {
		if at.Before(next) {
			next = at
		}
	}
	if len(d.meta.coming) > 0 {
		soon(d.meta.coming[0].at)
	}
	if d.left > 0 {
		freed, first := d.book.first()
		if freed || !first.IsZero() && !first.After(d.now) {
			soon(d.sweep)
		} else if !first.IsZero() {
			soon(first)
		}
		if !d.meta.raiseAt.IsZero() {
			soon(d.meta.raiseAt)
		}
		if d.limitless() {
			soon(d.now.Add(scheduler.Tick))
		}
	}
	if least := d.now.Add(scheduler.Tick); next.Before(least) {
		next = least
	}
	return next, true
}

// limitless: nothing but the rate holds, so the next look is due at once.
func (d *rules) limitless() bool { return d.book.limit == 0 || d.book.room() > 0 }
