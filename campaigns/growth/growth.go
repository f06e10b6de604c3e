// Package growth owns the plan that earns a portfolio higher messaging limits:
// how many different people to write to on which day, those with a fresh consent
// first, so that a long list is through in days instead of weeks.
//
// The rule is Meta's automatic scaling (messaging limits): half of the limit used
// by different people within seven days, at high quality, raises it by one step
// within six hours. Meta decides; the plan never counts on more than one step a
// day. It is arithmetic alone and must not know the database or who the people are.
package growth

import (
	"math"
	"time"

	"bareed/campaigns/forecast"
)

// Input is how a portfolio and a list stand.
type Input struct {
	Starts    time.Time      // the first day
	Zone      *time.Location // of the days; UTC when nil
	Limit     int64          // people in 24 h; 0: unlimited
	Target    int64          // no further than this limit; 0: as far as the list needs
	Reserve   float64        // share of the limit left to other tools
	Reached   int64          // different people of the last seven days
	List      int64
	Fresh     int64   // of the list: with a fresh consent
	Delivered float64 // share of messages that arrive; 0: nineteen of twenty
	Good      bool    // the quality is what Meta asks for
	PerDay    int64   // what the number's rate and hours carry in a day; 0: no bound
}

// Why a plan counts on no higher limit, as Growth.Why.
const (
	Unknown   = "unknown"    // Meta has not told the limit
	Unlimited = "unlimited"  // there is no limit
	Enough    = "enough"     // the list fits into one day
	Target    = "target"     // the limit wanted is there
	Quality   = "quality"    // the quality has to recover first
	Review    = "review"     // below 2,000 a verification or a review raises it
	ListShort = "list_short" // the list has fewer people than the step asks for
)

// Growth is what to send when.
type Growth struct {
	Days    []GrowthDay `json:"days"`
	Left    int64       `json:"left,omitempty" doc:"People the plan does not come to within 400 days."`
	Ends    int64       `json:"limit_at_end" doc:"0: unlimited."`
	Needed  int64       `json:"needed" doc:"Different people still to be reached at the limit of today before Meta raises it."`
	Without int64       `json:"days_without" doc:"Days the list takes if the limit never rises."`
	Why     string      `json:"why,omitempty" enum:"unknown,unlimited,enough,target,quality,review,list_short" doc:"Why the plan counts on no higher limit, from the first day on."`
}

// GrowthDay is one day of the plan.
type GrowthDay struct {
	Date   string `json:"date" doc:"2026-12-01"`
	Limit  int64  `json:"limit" doc:"That the day begins with; 0: unlimited."`
	Send   int64  `json:"send" doc:"Messages to different people."`
	Fresh  int64  `json:"fresh" doc:"Of those, to people with a fresh consent."`
	Earns  *int64 `json:"earns,omitempty" doc:"The limit that this day's messages earn; 0: unlimited."`
	Review bool   `json:"review,omitempty" doc:"With this day 2,000 people were reached in 30 days: Meta looks at the portfolio."`
}

const (
	arrives     = 0.95
	share       = 0.5
	inDays      = 7
	reviewAt    = 2000 // delivered, to different people …
	reviewDays  = 30   // … within so many days
	longestPlan = 400
)

// Make works the plan out.
func Make(in Input) Growth {
	if in.Zone == nil {
		in.Zone = time.UTC
	}
	if in.Delivered <= 0 || in.Delivered > 1 {
		in.Delivered = arrives
	}
	in.Fresh = min(in.Fresh, in.List)
	m := maker{Input: in, left: in.List, fresh: in.Fresh, limit: in.Limit}
	p := Growth{Days: []GrowthDay{}, Why: m.why(), Needed: m.people(m.missing(0)), Without: in.without()}
	for n := 0; m.left > 0 && n < longestPlan; n++ {
		d := m.day(n)
		if d.Send == 0 && d.Earns == nil {
			break
		}
		p.Days = append(p.Days, d)
	}
	p.Left, p.Ends = m.left, m.limit
	return p
}

// maker is a plan while it is made.
type maker struct {
	Input
	left, fresh int64
	limit       int64
	sent        []float64 // delivered on each day so far
}

// room is how many may be written to in a day.
func (in Input) room(limit int64) int64 {
	room := in.List
	if limit > 0 {
		room = min(room, forecast.Usable(limit, in.Reserve))
	}
	if in.PerDay > 0 {
		room = min(room, in.PerDay)
	}
	return room
}

func (in Input) without() int64 {
	room := in.room(in.Limit)
	if room <= 0 || in.List == 0 {
		return 0
	}
	return (in.List + room - 1) / room
}

// why says what keeps the plan from growing now; empty when nothing does.
func (m *maker) why() string {
	switch {
	case m.limit == 0:
		return Unlimited
	case m.left <= m.room(m.limit):
		return Enough
	case m.Target > 0 && m.limit >= m.Target:
		return Target
	case m.limit < reviewAt:
		return Review
	case !m.Good:
		return Quality
	case m.left < m.people(m.missing(len(m.sent))):
		return ListShort
	}
	return ""
}

// missing is how many must still be reached within seven days, as of day n.
func (m *maker) missing(n int) float64 {
	if m.limit == 0 {
		return 0
	}
	return max(0, share*float64(m.limit)-m.reached(n, inDays))
}

// reached is how many messages arrived in the days before n. What was before the
// plan is as old as it can be: all of it counts on the first day alone.
func (m *maker) reached(n, days int) float64 {
	sum := 0.0
	if n == 0 {
		sum = float64(m.Reached)
	}
	for i := max(0, n-days+1); i < n; i++ {
		sum += m.sent[i]
	}
	return sum
}

// people is how many messages it takes for so many to arrive.
func (m *maker) people(arrive float64) int64 { return int64(math.Ceil(arrive/m.Delivered - 1e-9)) }

// day settles day n: no more than what earns the next limit while that is ahead,
// then as many as fit. People with a fresh consent go first: they block and
// report the least, and the first days decide about the quality.
func (m *maker) day(n int) GrowthDay {
	d := GrowthDay{Date: m.Starts.In(m.Zone).AddDate(0, 0, n).Format(time.DateOnly), Limit: m.limit}
	grows := m.why() == ""
	d.Send = min(m.left, m.room(m.limit))
	if grows {
		if need := m.people(m.missing(n)); need > 0 {
			d.Send = min(d.Send, need)
		}
	}
	d.Fresh = min(d.Send, m.fresh)
	m.left, m.fresh = m.left-d.Send, m.fresh-d.Fresh
	m.sent = append(m.sent, float64(d.Send)*m.Delivered)
	if grows && m.missing(n) <= m.sent[n]+1e-9 {
		next := forecast.Next(m.limit)
		d.Earns, m.limit = &next, next
	}
	if m.limit > 0 && m.limit < reviewAt && m.Good {
		was := m.reached(n, reviewDays)
		d.Review = was < reviewAt && was+m.sent[n] >= reviewAt
	}
	return d
}
