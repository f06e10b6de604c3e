//go:build unix

package bench

import "context"

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

func (s *stand) plans(ctx context.Context) error { return nil }
