package forecast

import (
	"math"
	"time"
)

// course is one line while it is worked out: it goes from change to change, and
// between two of them everything flows evenly.
type course struct {
	in    Input
	rises bool

	now     float64 // seconds since Input.Now
	limit   int64
	places  places
	reached float64 // people of the last seven days
	leaves  tape    // when those fall out of the seven days
	rise    float64 // when the limit rises; 0: nothing announced
	ours    tape    // what the campaign sends
	all     []sender
	gates   []gate  // of the campaign's waves, those still ahead
	idle    float64 // nothing leaves before: a wave is watched
	opens   float64 // the hours around now
	closes  float64
	until   float64
	line    Prediction
}

// sender is a campaign: ours is the first of all.
type sender struct {
	from, left float64
	speed      float64 // at most
	needs      float64 // places a message
	sameNumber bool

	rank  int  // 0 goes first
	share int  // of places, from 1; 0: none, it takes open ones alone
	paced bool // slow by its own pace: it stands before others with a day's people
}

// reach is for how many people a campaign stands before those of a lower priority.
func (s sender) reach() float64 {
	if s.paced {
		return min(s.left, s.speed*day.Seconds())
	}
	return s.left
}

// gate is where a wave of the campaign ends: how many are left then, and how long
// it is watched.
type gate struct{ left, wait float64 }

func newCourse(in Input, rises bool) *course {
	c := &course{in: in, rises: rises, limit: in.Limit, reached: float64(in.Reached), closes: -1, until: Horizon.Seconds()}
	if !in.Until.IsZero() {
		c.until = min(c.until, c.at(in.Until))
	}
	needs := 1.0
	if in.People > 0 {
		needs = float64(in.People-in.Free) / float64(in.People)
	}
	c.places = newPlaces(in)
	c.all = []sender{{from: c.at(in.Starts), left: float64(in.People), speed: in.PerSecond, needs: needs, sameNumber: true,
		rank: rankOf(in.Priority), share: in.shareOf(in.Share), paced: in.Paced}}
	for _, o := range in.Others {
		c.all = append(c.all, sender{max(0, c.at(o.Starts)), float64(o.People), o.PerSecond, 1, o.SameNumber,
			rankOf(o.Priority), in.shareOf(o.Share), o.Paced})
	}
	for _, w := range in.Waves {
		if w.People < in.People {
			c.gates = append(c.gates, gate{float64(in.People - w.People), w.Wait.Seconds()})
		}
	}
	used := 0.0
	// A place that is taken comes back within a day; what this line takes comes
	// back later than any of them, so that the tapes stay in order.
	within := func(u Freed) float64 { return min(max(0, c.at(u.At)), day.Seconds()) }
	for _, u := range in.Used {
		at := within(u)
		used += float64(u.People)
		c.places.taken(in.shareOf(u.Share), at, float64(u.People))
	}
	c.reached = max(c.reached, used)
	// Of those of earlier days nothing is known but that they are older than a day.
	c.leaves.add(piece{0, (week - day).Seconds(), c.reached - used})
	for _, u := range in.Used {
		at := within(u) + (week - day).Seconds()
		c.leaves.add(piece{at, at, float64(u.People)})
	}
	return c
}

func (c *course) at(t time.Time) float64 { return t.Sub(c.in.Now).Seconds() }

func (c *course) time(at float64) time.Time {
	return c.in.Now.Add(time.Duration(math.Round(at*1000)) * time.Millisecond)
}

// changes bounds the work when nothing can go on.
const changes = 1_000_000

func (c *course) run() Prediction {
	for range changes {
		if c.all[0].left <= 0 || c.now >= c.until-grain {
			break
		}
		c.arrive()
		f := c.flow()
		next := c.next(f)
		if math.IsInf(next, 1) {
			break
		}
		c.move(f, max(next, c.now+grain))
	}
	c.line.Days = c.days()
	if left := c.all[0].left; left > 0 {
		c.line.Left = int64(math.Ceil(left))
		return c.line
	}
	ends := c.in.Now
	if n := len(c.ours.pieces); n > 0 {
		ends = c.time(c.ours.pieces[n-1].to)
	}
	c.line.EndsAt = &ends
	return c.line
}

// arrive does what happens at this instant.
func (c *course) arrive() {
	for len(c.gates) > 0 && c.all[0].from <= c.now+grain && c.all[0].left <= c.gates[0].left+speck {
		c.idle = max(c.idle, c.now+c.gates[0].wait)
		c.gates = c.gates[1:]
	}
	c.places.pass(c.now)
	c.reached -= c.leaves.pass(c.now)
	if c.rise > 0 && c.now >= c.rise-grain {
		c.rise = 0
		was := c.limit
		c.limit = Next(c.limit)
		if c.limit > 0 {
			c.places.free += float64(Usable(c.limit, c.in.Reserve) - Usable(was, c.in.Reserve))
		}
		c.line.Steps = append(c.line.Steps, LimitRise{At: c.time(c.now), Limit: c.limit})
	}
	if c.scales() && c.reached >= riseShare*float64(c.limit)-speck {
		c.rise = c.now + riseAfter.Seconds()
	}
	if c.in.Around != nil && c.now >= c.closes-grain {
		opens, closes := c.in.Around(c.time(c.now))
		c.opens, c.closes = c.at(opens), c.at(closes)
		if closes.IsZero() {
			c.closes = math.Inf(1)
		}
	}
}

// scales tells whether the limit may rise and nothing is announced.
func (c *course) scales() bool { return c.rises && c.limit > 0 && c.rise == 0 }

func (c *course) active(i int) bool {
	s := c.all[i]
	if i == 0 && (c.idle > c.now+grain || c.in.Around != nil && c.opens > c.now+grain) {
		return false
	}
	return s.left > 0 && s.from <= c.now+grain
}

// wants is how many messages a second each campaign sends now if places hold none:
// at its own pace, those of one number together at the number's.
func (c *course) wants() []float64 {
	wants, onNumber := make([]float64, len(c.all)), make([]float64, len(c.all))
	for i, s := range c.all {
		if c.active(i) {
			wants[i] = s.speed
		}
		if s.sameNumber {
			onNumber[i] = wants[i]
		}
	}
	for i, speed := range fill(c.in.Number, onNumber) {
		if c.all[i].sameNumber {
			wants[i] = speed
		}
	}
	return wants
}

// next is when something changes.
func (c *course) next(f flow) float64 {
	next := min(c.places.next(c.now), c.leaves.next(c.now))
	soon := func(at float64) {
		if at > c.now+grain {
			next = min(next, at)
		}
	}
	for i, s := range c.all {
		if s.left > 0 && s.from > c.now {
			soon(s.from)
		}
		if f.speeds[i] > 0 {
			soon(c.now + s.left/f.speeds[i])
			if s.paced {
				soon(c.now + (s.left-s.reach())/f.speeds[i])
			}
		}
	}
	soon(c.idle)
	if len(c.gates) > 0 && f.speeds[0] > 0 {
		soon(c.now + (c.all[0].left-c.gates[0].left)/f.speeds[0])
	}
	if c.in.Around != nil {
		soon(c.opens)
		soon(c.closes)
	}
	soon(c.until)
	if c.limit > 0 {
		for _, l := range c.levels(f) {
			soon(c.now + l.zero())
		}
	}
	if c.rise > 0 {
		soon(c.rise)
	} else if grows := f.taken() - c.leaves.rate(c.now); c.scales() && grows > 0 {
		soon(c.now + (riseShare*float64(c.limit)-c.reached)/grows)
	}
	return next
}

// move goes on to the next change.
func (c *course) move(f flow, to float64) {
	dt := to - c.now
	for i := range c.all {
		s := &c.all[i]
		if s.left -= f.speeds[i] * dt; s.left < speck {
			s.left = 0
		}
	}
	c.ours.add(piece{c.now, to, f.speeds[0] * dt})
	c.places.move(c.all, f, c.now, to)
	taken := f.taken() * dt
	c.reached += taken - c.leaves.rate(c.now)*dt
	c.leaves.add(piece{c.now + week.Seconds(), to + week.Seconds(), taken})
	c.now = to
}

// days shares what was sent over the days of the zone, in whole people.
func (c *course) days() []DayCount {
	list := []DayCount{}
	sent, told := 0.0, int64(0)
	note := func(date string, n float64) {
		sent += n
		whole := int64(math.Round(sent)) - told
		told += whole
		if k := len(list) - 1; k >= 0 && list[k].Date == date {
			list[k].People += whole
		} else if whole > 0 {
			list = append(list, DayCount{date, whole})
		}
	}
	for _, p := range c.ours.pieces {
		for from := p.from; from < p.to-grain; {
			local := c.time(from).In(c.in.Zone)
			midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, c.in.Zone)
			to := min(p.to, max(c.at(midnight), from+1))
			note(local.Format(time.DateOnly), p.rate()*(to-from))
			from = to
		}
	}
	return list
}
