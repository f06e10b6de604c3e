package outlook_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"bareed/campaigns/forecast"
	"bareed/numbers/places"
)

// party is a campaign of the model.
type party struct {
	starts  int // second
	left    int
	speed   float64
	budget  float64
	rank    int
	share   string
	paced   bool
	endedAt int
	refused bool // and nothing has happened since
}

func (p *party) reach() int {
	if p.paced {
		return min(p.left, int(p.speed*86_400))
	}
	return p.left
}

// ledger hands places out second by second, by the rule that the feeder goes by.
type ledger struct {
	pool  places.Pool
	frees map[int][]string // second → the shares that a place comes back to
	all   []*party
}

func (l *ledger) give(at int, share string, n int) {
	for range n {
		l.frees[at+86_400] = append(l.frees[at+86_400], share)
	}
	l.pool.Taken += n
	l.use(share, n)
	l.news()
}

// news is what may change an answer.
func (l *ledger) news() {
	for _, p := range l.all {
		p.refused = false
	}
}

func (l *ledger) use(share string, n int) {
	for i := range l.pool.Shares {
		if l.pool.Shares[i].Name == share {
			l.pool.Shares[i].Used += n
		}
	}
}

func (l *ledger) second(now int) {
	if len(l.frees[now]) > 0 {
		l.news()
	}
	for _, share := range l.frees[now] {
		l.pool.Taken--
		l.use(share, -1)
	}
	delete(l.frees, now)
	for i := range l.all { // equals take turns
		p := l.all[(i+now)%len(l.all)]
		if p.left == 0 || p.starts > now {
			continue
		}
		if p.starts == now {
			l.news()
		}
		p.budget = min(p.budget+p.speed, p.speed+1)
		if p.budget < 1 || p.refused {
			continue
		}
		var ahead []places.Demand
		for _, o := range l.all {
			if o.rank < p.rank && o.left > 0 && o.starts <= now {
				ahead = append(ahead, places.Demand{Share: o.share, Kind: "campaign", People: o.reach()})
			}
		}
		own, open := l.pool.Room(p.share, "campaign", ahead)
		n := min(int(p.budget), p.left, own+open)
		if n == 0 {
			p.refused = true
			continue
		}
		mine := min(n, own)
		l.give(now, p.share, mine)
		l.give(now, "", n-mine)
		p.left, p.budget = p.left-n, p.budget-float64(n)
		if p.left == 0 {
			p.endedAt = now
		}
	}
}

// The forecast of campaigns that share a portfolio, against handing places out one
// by one: whatever their sizes, priorities, shares, speeds and beginnings.
func TestForecastAgainstTheRuleOfPlaces(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	ranks := []string{"high", "normal", "low"}
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 7))
		limit := 300 + r.IntN(700)
		in := forecast.Input{Now: noon, Starts: noon, Limit: int64(limit), PerSecond: 0.5 + 20*r.Float64(), People: 100 + r.Int64N(1500)}
		l := ledger{pool: places.Pool{Limit: limit, Effective: limit}, frees: map[int][]string{}}
		for _, name := range []string{"orders", "alerts"}[:r.IntN(3)] {
			size := 20 + r.IntN(100)
			in.Shares = append(in.Shares, forecast.Share{Name: name, Places: int64(size)})
			l.pool.Shares = append(l.pool.Shares, places.Share{Name: name, Size: size})
		}
		share := func() string { return []string{"", "orders", "alerts"}[r.IntN(1+len(in.Shares))] }
		in.Priority, in.Share = ranks[r.IntN(3)], share()
		l.all = []*party{{left: int(in.People), speed: in.PerSecond, rank: slices.Index(ranks, in.Priority), share: in.Share}}
		for range r.IntN(4) {
			o := forecast.Other{People: 50 + r.Int64N(1000), PerSecond: 0.5 + 20*r.Float64(), Priority: ranks[r.IntN(3)], Share: share(), Paced: r.IntN(3) == 0}
			if o.Paced {
				o.PerSecond = 0.001 + 0.01*r.Float64()
			}
			starts := r.IntN(2) * r.IntN(90_000)
			o.Starts = noon.Add(time.Duration(starts) * time.Second)
			in.Others = append(in.Others, o)
			l.all = append(l.all, &party{starts: starts, left: int(o.People), speed: o.PerSecond, rank: slices.Index(ranks, o.Priority), share: o.Share, paced: o.Paced})
		}
		const most = 20 * 86_400
		now := 0
		for ; l.all[0].left > 0 && now < most; now++ {
			l.second(now)
		}
		f := forecast.Predict(in)
		switch {
		case l.all[0].left > 0:
			if f.Stays.EndsAt != nil && f.Stays.EndsAt.Sub(noon) < (most-86_400)*time.Second {
				t.Errorf("seed %d: ends after %s, and yet %d are left after twenty days (%+v)", seed, f.Stays.EndsAt.Sub(noon), l.all[0].left, in)
			}
		case f.Stays.EndsAt == nil:
			t.Errorf("seed %d: no end, and yet it is over after %d s (%+v)", seed, l.all[0].endedAt, in)
		default:
			want, got := time.Duration(l.all[0].endedAt)*time.Second, f.Stays.EndsAt.Sub(noon)
			if slack := 2*time.Minute + want/33; (got - want).Abs() > slack {
				t.Errorf("seed %d: %s, want %s within %s (%+v)", seed, got, want, slack, in)
			}
		}
	}
}
