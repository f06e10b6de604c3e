// Package report holds what a measurement found, judges it by the product's
// demands, and writes it for people and for programs.
//
// internal/bench fills it in. It must not know how anything was measured.
package report

import (
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

// Missed tells whether a demand of the product was not met.
func (r *Report) Missed() bool {
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

// Pair is one round: ours and the ceiling, per second, measured one after the
// other.
type Pair struct{ Ours, Ceiling float64 }

// Sum is the figure that rounds come to.
func Sum(group, name, against string, rounds []Pair) Figure {
	var ours, ceiling, ratio []float64
	for _, p := range rounds {
		ours, ceiling = append(ours, p.Ours), append(ceiling, p.Ceiling)
		if p.Ceiling > 0 {
			ratio = append(ratio, p.Ours/p.Ceiling)
		}
	}
	return Figure{Group: group, Name: name, Ours: median(ours), Against: against, Ceiling: median(ceiling),
		Ratio: median(ratio), Rounds: len(rounds)}
}
