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
	pool    float64 // places free now; below 0 when more are used than may be
	frees   tape    // places that come back
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
	c.all = []sender{{from: c.at(in.Starts), left: float64(in.People), speed: in.PerSecond, needs: needs, sameNumber: true}}
	for _, o := range in.Others {
		c.all = append(c.all, sender{max(0, c.at(o.Starts)), float64(o.People), o.PerSecond, 1, o.SameNumber})
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
		c.frees.add(piece{at, at, float64(u.People)})
	}
	c.reached = max(c.reached, used)
	// Of those of earlier days nothing is known but that they are older than a day.
	c.leaves.add(piece{0, (week - day).Seconds(), c.reached - used})
	for _, u := range in.Used {
		at := within(u) + (week - day).Seconds()
		c.leaves.add(piece{at, at, float64(u.People)})
	}
	if c.limit > 0 {
		c.pool = float64(Usable(c.limit, in.Reserve)) - used
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
		speeds := c.speeds()
		next := c.next(speeds)
		if math.IsInf(next, 1) {
			break
		}
		c.move(speeds, max(next, c.now+grain))
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
	c.pool += c.frees.pass(c.now)
	c.reached -= c.leaves.pass(c.now)
	if math.Abs(c.pool) < speck {
		c.pool = 0
	}
	if c.rise > 0 && c.now >= c.rise-grain {
		c.rise = 0
		was := c.limit
		c.limit = Next(c.limit)
		if c.limit > 0 {
			c.pool += float64(Usable(c.limit, c.in.Reserve) - Usable(was, c.in.Reserve))
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

// speeds is how many messages a second each campaign sends now: at its own pace,
// those of one number together at the number's, and all of them no faster than
// places come when none is left.
func (c *course) speeds() []float64 {
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
	if c.limit == 0 || c.pool > 0 {
		return wants
	}
	there := 0.0
	if c.pool == 0 {
		there = c.frees.rate(c.now)
	}
	places := make([]float64, len(c.all))
	for i, s := range c.all {
		places[i] = wants[i] * s.needs
	}
	got := fill(there, places)
	for i := range wants {
		if places[i]-got[i] > 1e-9 {
			wants[i] *= got[i] / places[i]
			c.line.Waits = c.line.Waits || i == 0
		}
	}
	return wants
}

// taken is how many places a second the campaigns take.
func (c *course) taken(speeds []float64) (n float64) {
	for i, s := range c.all {
		n += speeds[i] * s.needs
	}
	return n
}

// next is when something changes.
func (c *course) next(speeds []float64) float64 {
	next := min(c.frees.next(c.now), c.leaves.next(c.now))
	soon := func(at float64) {
		if at > c.now+grain {
			next = min(next, at)
		}
	}
	for i, s := range c.all {
		if s.left > 0 && s.from > c.now {
			soon(s.from)
		}
		if speeds[i] > 0 {
			soon(c.now + s.left/speeds[i])
		}
	}
	soon(c.idle)
	if len(c.gates) > 0 && speeds[0] > 0 {
		soon(c.now + (c.all[0].left-c.gates[0].left)/speeds[0])
	}
	if c.in.Around != nil {
		soon(c.opens)
		soon(c.closes)
	}
	soon(c.until)
	if c.limit > 0 {
		drain := c.taken(speeds) - c.frees.rate(c.now)
		if c.pool != 0 && drain != 0 && c.pool/drain > 0 {
			soon(c.now + c.pool/drain)
		}
	}
	if c.rise > 0 {
		soon(c.rise)
	} else if grows := c.taken(speeds) - c.leaves.rate(c.now); c.scales() && grows > 0 {
		soon(c.now + (riseShare*float64(c.limit)-c.reached)/grows)
	}
	return next
}

// move goes on to the next change.
func (c *course) move(speeds []float64, to float64) {
	dt := to - c.now
	taken := c.taken(speeds) * dt
	for i := range c.all {
		s := &c.all[i]
		if s.left -= speeds[i] * dt; s.left < speck {
			s.left = 0
		}
	}
	c.ours.add(piece{c.now, to, speeds[0] * dt})
	if c.limit > 0 {
		c.pool += c.frees.rate(c.now)*dt - taken
		if math.Abs(c.pool) < speck {
			c.pool = 0
		}
	}
	c.reached += taken - c.leaves.rate(c.now)*dt
	c.frees.add(piece{c.now + day.Seconds(), to + day.Seconds(), taken})
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
