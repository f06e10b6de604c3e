package forecast

import (
	"math"
	"slices"
)

// rankOf is a priority's place in the order; what is not said is normal.
func rankOf(priority string) int {
	switch priority {
	case "high":
		return 0
	case "low":
		return 2
	}
	return 1
}

// ranks is how many there are.
const ranks = 3

// shareOf is a share's number, from 1; 0: there is none of that name.
func (in Input) shareOf(name string) int {
	return 1 + slices.IndexFunc(in.Shares, func(s Share) bool { return name != "" && s.Name == name })
}

// places are a portfolio's. Who may take them is the rule of numbers/places, with
// people as a stream: a share's are for those who name it, of the open ones a
// campaign takes what those of a higher priority leave over.
type places struct {
	free  float64   // usable and nobody's; below 0 when more are taken than may be
	size  []float64 // of each share; that of number 0, which is none, is 0
	used  []float64 // of each share
	frees []tape    // places that come back: open ones, then those of each share
}

func newPlaces(in Input) places {
	p := places{size: []float64{0}}
	if in.Limit > 0 {
		p.free = float64(Usable(in.Limit, in.Reserve))
	}
	for _, s := range in.Shares {
		p.size = append(p.size, float64(s.Places))
	}
	p.used, p.frees = make([]float64, len(p.size)), make([]tape, len(p.size))
	return p
}

// taken notes places that are taken and come back then.
func (p *places) taken(share int, at, people float64) {
	p.free -= people
	p.used[share] += people
	p.frees[share].add(piece{at, at, people})
}

// pass takes back what came back at once.
func (p *places) pass(now float64) {
	for k := range p.frees {
		n := p.frees[k].pass(now)
		p.free += n
		p.used[k] -= n
	}
}

// next is when the stream of those that come back changes.
func (p *places) next(now float64) float64 {
	next := math.Inf(1)
	for k := range p.frees {
		next = min(next, p.frees[k].next(now))
	}
	return next
}

// move lets the flow take and what comes back come until then.
func (p *places) move(all []sender, f flow, now, to float64) {
	dt := to - now
	takes := make([]float64, len(p.size))
	for i, s := range all {
		takes[0] += f.open[i] * dt
		takes[s.share] += f.own[i] * dt
	}
	for k := range takes {
		back := p.frees[k].rate(now) * dt
		p.free += back - takes[k]
		p.used[k] += takes[k] - back
		p.frees[k].add(piece{now + day.Seconds(), to + day.Seconds(), takes[k]})
	}
}

// flow is how many messages a second each campaign sends, and how many places a
// second it takes for them: of its share, and open ones.
type flow struct{ speeds, own, open []float64 }

func (f flow) taken() (n float64) {
	for i := range f.own {
		n += f.own[i] + f.open[i]
	}
	return n
}

// hair is as much of a place as makes no difference: at a thousand a second and a
// year ahead, a moment is known no better.
const hair = 1e-4

// level is a figure and how fast it changes.
type level struct{ v, d float64 }

func (a level) less(b level) level { return level{a.v - b.v, a.d - b.d} }

// zero is how long until it is 0; not at all or now: 0.
func (a level) zero() float64 {
	if math.Abs(a.v) <= hair || a.v*a.d >= 0 {
		return 0
	}
	return -a.v / a.d
}

func highest(a, b level) level {
	if d := a.v - b.v; d > hair || d >= -hair && a.d > b.d {
		return a
	}
	return b
}

func lowest(a, b level) level {
	if d := a.v - b.v; d < -hair || d <= hair && a.d < b.d {
		return a
	}
	return b
}

// rooms is how many places campaigns of a rank may take, open ones and of each
// share, and the differences at which that turns (numbers/places room).
func (c *course) rooms(rank int, f flow) (open level, own, turns []level) {
	wants := make([]level, len(c.places.size))
	takes := make([]float64, len(c.places.size))
	for i, s := range c.all {
		takes[s.share] += f.own[i]
		if s.rank < rank && c.active(i) {
			w := &wants[s.share]
			w.v += s.reach() * s.needs
			if s.reach() == s.left {
				w.d -= f.speeds[i] * s.needs
			}
		}
	}
	free := level{c.places.free, -f.taken()}
	for k := range c.places.frees {
		free.d += c.places.frees[k].rate(c.now)
	}
	open, own = free.less(wants[0]), make([]level, len(wants))
	for k := 1; k < len(wants); k++ {
		left := level{c.places.size[k] - c.places.used[k], c.places.frees[k].rate(c.now) - takes[k]}
		unused := highest(level{}, left)
		kept := highest(unused, wants[k])
		spare := unused.less(wants[k])
		open, own[k] = open.less(kept), lowest(spare, free)
		turns = append(turns, left, spare, spare.less(free))
	}
	return open, own, turns
}

// levels are the figures at whose zero the flow changes.
func (c *course) levels(f flow) (all []level) {
	for rank := range ranks {
		open, own, turns := c.rooms(rank, f)
		all = append(append(append(all, open), own[1:]...), turns...)
	}
	return all
}

// flow is what goes now: as fast as everybody wants, and no faster than places are
// there or come. Who has a share takes from it first; whose room is used up shares
// what comes with those of the same rank.
func (c *course) flow() flow {
	wants := c.wants()
	f := flow{make([]float64, len(wants)), make([]float64, len(wants)), make([]float64, len(wants))}
	needs := make([]float64, len(wants))
	for i, s := range c.all {
		needs[i] = wants[i] * s.needs
	}
	if c.limit == 0 {
		copy(f.speeds, wants)
		copy(f.open, needs)
		return f
	}
	for rank := range ranks {
		c.flowOf(rank, wants, needs, f)
	}
	return f
}

// flowOf adds a rank's, when those before it have theirs.
func (c *course) flowOf(rank int, wants, needs []float64, f flow) {
	of := func(share int) []float64 {
		list := make([]float64, len(needs))
		for i, s := range c.all {
			if s.rank == rank && (share == 0 || s.share == share) {
				list[i] = needs[i] - f.own[i]
			}
		}
		return list
	}
	_, own, _ := c.rooms(rank, f)
	for k := 1; k < len(own); k++ {
		grant(own[k], of(k), f.own)
	}
	open, _, _ := c.rooms(rank, f)
	grant(open, of(0), f.open)
	for i, s := range c.all {
		if s.rank != rank {
			continue
		}
		f.speeds[i] = wants[i]
		if got := f.own[i] + f.open[i]; needs[i]-got > 1e-9 {
			f.speeds[i] *= got / needs[i]
			c.line.Waits = c.line.Waits || i == 0
		}
	}
}

// grant gives what is wanted of a room: all while there is any, else what comes.
func grant(room level, wanted, to []float64) {
	switch {
	case room.v > hair:
	case room.v >= -hair:
		wanted = fill(max(0, room.d), wanted)
	default:
		return
	}
	for i := range wanted {
		to[i] += wanted[i]
	}
}
