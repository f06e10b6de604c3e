//go:build unix

package bench

import (
	"math"
	"slices"
	"time"
)

// Report is everything one run measured.
type Report struct {
	At      time.Time   `json:"at"`
	Machine string      `json:"machine"`
	Servers string      `json:"servers"`
	Seconds float64     `json:"seconds"` // the whole run took
	Figures []Figure    `json:"figures,omitempty"`
	CPU     []CPU       `json:"cpu,omitempty"`
	Rates   []Fidelity  `json:"rates,omitempty"`
	Plans   []Statement `json:"plans,omitempty"`
}

// Figure is one speed of the product beside its ceiling: medians over the
// rounds, and the median of the rounds' ratios.
type Figure struct {
	Group   string  `json:"group"`
	Name    string  `json:"name"`
	Ours    float64 `json:"ours"` // per second
	Against string  `json:"against"`
	Ceiling float64 `json:"ceiling"` // per second
	Ratio   float64 `json:"ratio"`
	Rounds  int     `json:"rounds"`
	Demand  float64 `json:"demand,omitempty"` // least of Ours; 0: none
	Note    string  `json:"note,omitempty"`
}

func (f Figure) met() bool { return f.Ours >= f.Demand }

// CPU is what 1,000 messages cost each process, in milliseconds of processor.
type CPU struct {
	Run       string             `json:"run"`
	Processes map[string]float64 `json:"ms_per_1000_messages"`
}

func (c CPU) sum() float64 {
	var sum float64
	for _, v := range c.Processes {
		sum += v
	}
	return sum
}

// Fidelity is how exactly a number's throughput is used. Demands: at least 95 %
// of the effective limit (Meta's rate less the head-room for replies), never
// more than Meta's rate in any second, and no 130429.
type Fidelity struct {
	PerSecond int     `json:"per_second"` // Meta's rate
	Effective float64 `json:"effective"`  // what a campaign may use of it
	Sent      float64 `json:"sent_per_second"`
	Percent   float64 `json:"percent_of_effective"`
	Most      int     `json:"most_in_a_sliding_second"`
	Throttled int64   `json:"refused_130429"`
	Seconds   float64 `json:"seconds"` // measured
	Ceiling   float64 `json:"ceiling"` // bare client's POSTs a second just before; 0 when not measured
	GivenBack int64   `json:"given_back"`
	Again     float64 `json:"handed_over_again_percent"`
}

const leastPercent = 95

func (f Fidelity) met() bool {
	return f.Percent >= leastPercent && f.Most <= f.PerSecond && f.Throttled == 0
}

func (r *Report) missed() bool {
	return slices.ContainsFunc(r.Figures, func(f Figure) bool { return !f.met() }) ||
		slices.ContainsFunc(r.Rates, func(f Fidelity) bool { return !f.met() }) ||
		slices.ContainsFunc(r.Plans, func(s Statement) bool { return len(s.Faults) > 0 })
}

// median of no values is 0; of an even number the mean of the middle two.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	mid := len(v) / 2
	if len(v)%2 == 1 {
		return v[mid]
	}
	return (v[mid-1] + v[mid]) / 2
}

// pair is one round: ours and the ceiling, measured one after the other.
type pair struct{ ours, ceiling float64 }

// figure sums rounds up.
func figure(group, name, against string, rounds []pair) Figure {
	var ours, ceiling, ratio []float64
	for _, p := range rounds {
		ours, ceiling = append(ours, p.ours), append(ceiling, p.ceiling)
		if p.ceiling > 0 {
			ratio = append(ratio, p.ours/p.ceiling)
		}
	}
	return Figure{Group: group, Name: name, Ours: median(ours), Against: against, Ceiling: median(ceiling),
		Ratio: median(ratio), Rounds: len(rounds)}
}

// most counts the busiest sliding second of instants in rising order: those in
// (t-1s, t].
func most(at []time.Time) int {
	first, best := 0, 0
	for i, t := range at {
		for !at[first].After(t.Add(-time.Second)) {
			first++
		}
		best = max(best, i-first+1)
	}
	return best
}

// perSecond is the speed from the first to the last of instants in rising
// order: the first one is where the clock starts.
func perSecond(at []time.Time) float64 {
	if len(at) < 2 {
		return 0
	}
	d := at[len(at)-1].Sub(at[0]).Seconds()
	if d <= 0 {
		return math.Inf(1)
	}
	return float64(len(at)-1) / d
}

// within keeps the instants of [from, from+d).
func within(at []time.Time, from time.Time, d time.Duration) []time.Time {
	lo, _ := slices.BinarySearchFunc(at, from, time.Time.Compare)
	hi, _ := slices.BinarySearchFunc(at, from.Add(d), time.Time.Compare)
	return at[lo:hi]
}
