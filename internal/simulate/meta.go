//go:build unix

package simulate

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"bareed/campaigns/forecast"
	"bareed/internal/id"
	"bareed/sandbox/quota"
)

// meta plays WhatsApp: by a seed it decides what becomes of each message, and it
// counts as Meta does, people by delivery and messages by the sliding second.
type meta struct {
	rand     *rand.Rand
	failures float64
	late     float64

	limit   int // 0: unlimited
	rises   bool
	raiseAt time.Time // when the limit rises; zero: nothing announced
	week    map[string]time.Time

	people    quota.Uniques
	windows   map[id.Number]*quota.Window
	rate      int
	posted    map[string]bool
	coming    comings
	delivered int
	failed    int
	exceeded  int
	over      int
	twice     int
}

// coming is a status on its way.
type coming struct {
	at     time.Time
	wamid  string
	person string
	number id.Number
	failed bool
}

type comings []coming

func (c comings) Len() int           { return len(c) }
func (c comings) Less(i, j int) bool { return c[i].at.Before(c[j].at) }
func (c comings) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *comings) Push(x any)        { *c = append(*c, x.(coming)) }
func (c *comings) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}

func newMeta(o Options) *meta {
	return &meta{rand: rand.New(rand.NewPCG(o.Seed, 0x6d657461)), failures: o.Failures, late: o.Late, limit: o.Limit, rises: o.Rises,
		week: map[string]time.Time{}, windows: map[id.Number]*quota.Window{}, rate: o.Rate, posted: map[string]bool{}}
}

// post takes a message and decides what becomes of it: most phones answer within
// seconds, some are off for up to three hours, and of some numbers Meta reports
// that nobody is there.
func (m *meta) post(number id.Number, person, wamid string, at time.Time) {
	w := m.windows[number]
	if w == nil {
		w = &quota.Window{}
		m.windows[number] = w
	}
	if w.Count(at) >= m.rate {
		m.over++
	}
	w.Add(at)
	if m.posted[person] {
		m.twice++
	}
	m.posted[person] = true
	c := coming{wamid: wamid, person: person, number: number}
	switch p := m.rand.Float64(); {
	case p < m.failures:
		c.failed, c.at = true, at.Add(between(m.rand, time.Second, 10*time.Second))
	case p < m.failures+m.late:
		off := time.Duration(m.rand.ExpFloat64() * float64(30*time.Minute))
		c.at = at.Add(min(time.Minute+off, 3*time.Hour))
	default:
		c.at = at.Add(between(m.rand, 300*time.Millisecond, 4*time.Second))
	}
	heap.Push(&m.coming, c)
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Float64()*float64(high-low))
}

// hear gives the statuses up to now, in order, each counted at its own instant. A
// delivery beyond the limit fails.
func (m *meta) hear(now time.Time) []coming {
	var list []coming
	for len(m.coming) > 0 && !m.coming[0].at.After(now) {
		c := heap.Pop(&m.coming).(coming)
		m.raise(c.at)
		switch {
		case c.failed:
			m.failed++
		case !m.people.Reach(c.person, c.at, m.limit):
			m.exceeded++
			c.failed = true
		default:
			m.delivered++
			m.scale(c)
		}
		list = append(list, c)
	}
	m.raise(now)
	return list
}

// scale announces a higher limit when half of this one was used by different
// people within seven days.
func (m *meta) scale(c coming) {
	if !m.rises || m.limit == 0 {
		return
	}
	m.week[c.person] = c.at
	if m.raiseAt.IsZero() && 2*len(m.week) >= m.limit {
		for person, at := range m.week {
			if c.at.Sub(at) > 7*24*time.Hour {
				delete(m.week, person)
			}
		}
		if 2*len(m.week) >= m.limit {
			m.raiseAt = c.at.Add(6 * time.Hour)
		}
	}
}

func (m *meta) raise(now time.Time) {
	if !m.raiseAt.IsZero() && !now.Before(m.raiseAt) {
		m.limit, m.raiseAt = int(forecast.Next(int64(m.limit))), time.Time{}
	}
}
