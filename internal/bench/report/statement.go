package report

import (
	"fmt"
	"slices"
)

// Statement is one hot statement at the moments of a large run.
type Statement struct {
	Name    string   `json:"name"`
	Moments []Moment `json:"moments"`
	Faults  []string `json:"faults,omitempty"`
}

// Moment is what a statement cost then.
type Moment struct {
	Moment string  `json:"moment"`
	MS     float64 `json:"ms"`
	Pages  int64   `json:"pages"` // of 8 KiB, read or found in memory
}

// Grown finds a statement that becomes dearer as the run goes on.
func (s *Statement) Grown() {
	if len(s.Moments) < 4 || s.Name == "snapshot (counts the run)" {
		return
	}
	start, end := s.Moments[1], s.Moments[len(s.Moments)-1]
	if end.MS > 4*start.MS+10 && end.Pages > 4*start.Pages+100 {
		s.Faults = append(s.Faults, fmt.Sprintf("the cost grows: %.1f ms at the start, %.1f ms at the end", start.MS, end.MS))
	}
}

// Merge adds the next moment to each statement.
func Merge(all, next []Statement) []Statement {
	if all == nil {
		return next
	}
	for i, n := range next {
		all[i].Moments = append(all[i].Moments, n.Moments...)
		for _, f := range n.Faults {
			if !slices.Contains(all[i].Faults, f) {
				all[i].Faults = append(all[i].Faults, f)
			}
		}
	}
	return all
}
