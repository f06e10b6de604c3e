//go:build unix

// Package bench measures the product against the ceiling of the machine it runs
// on: each figure stands beside the barest thing that does the same work,
// measured in the same run and in turns with it, because only the ratio says
// something on a machine that others use too. It also holds the product to its
// demands on rate fidelity, and to flat plans at a million messages.
//
// cmd/dev calls it. It sees the product through its packages for single steps
// and as real processes (internal/rig) for the whole path. Nothing of the
// product may import it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"bareed/internal/bench/report"
)

// Parts of a measurement, in their order.
const (
	Claims  = "claims"
	Limiter = "limiter"
	Sends   = "sends"
	Rate    = "rate"
	Fair    = "fair"
	Plans   = "plans"
)

// Config says what to measure.
type Config struct {
	Parts  []string // empty: all but Fair and Plans
	Rounds int      // of the single steps; default 3
	People int      // messages of one run of Sends; default 5,000
	Rows   int      // messages of Plans' large run; default 1,000,000
	Binary string   // of the product; empty: built anew
	JSON   bool     // machine-readable instead of a table
	Out    io.Writer
	Log    io.Writer // progress and the processes' warnings; nil for none
}

// ErrDemand is returned when a demand of the product was not met.
var ErrDemand = errors.New("a demand of the product is not met")

func (c *Config) defaults() error {
	if len(c.Parts) == 0 {
		c.Parts = []string{Claims, Limiter, Sends, Rate}
	}
	for _, p := range c.Parts {
		if !slices.Contains([]string{Claims, Limiter, Sends, Rate, Fair, Plans}, p) {
			return fmt.Errorf("there is no part %q", p)
		}
	}
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&c.Rounds, 3)
	def(&c.People, 5000)
	def(&c.Rows, 1_000_000)
	if c.Out == nil {
		c.Out = os.Stdout
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return nil
}

// stand is what the parts measure on.
type stand struct {
	Config
	servers *servers
	world   *world // made by the first part that needs it
	report  *report.Report
}

func (s *stand) theWorld(ctx context.Context) (*world, error) {
	if s.world != nil {
		return s.world, nil
	}
	w, err := newWorld(ctx, s.servers, max(s.People, claimRun))
	if err == nil {
		s.world = w
	}
	return w, err
}

// Run measures and prints. ErrDemand when a demand was missed; everything it
// started is gone when it returns.
func Run(ctx context.Context, c Config) error {
	if err := c.defaults(); err != nil {
		return err
	}
	began := time.Now()
	s := &stand{Config: c, report: &report.Report{At: began.UTC(), Machine: machine()}}
	var err error
	if s.servers, err = startServers(ctx, c.Log); err != nil {
		return err
	}
	defer s.servers.close()
	s.report.Servers = s.servers.describe(ctx)
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{Claims, s.claims}, {Limiter, s.limiter}, {Sends, s.product}, {Plans, s.plans},
	} {
		wanted := slices.Contains(c.Parts, part.name) || part.name == Sends && (slices.Contains(c.Parts, Rate) || slices.Contains(c.Parts, Fair))
		if !wanted {
			continue
		}
		if err := part.run(ctx); err != nil {
			return errors.Join(fmt.Errorf("measure %s: %w", part.name, err), s.print())
		}
	}
	s.report.Seconds = time.Since(began).Seconds()
	if err := s.print(); err != nil {
		return err
	}
	if s.report.Missed() {
		return ErrDemand
	}
	return nil
}

func (s *stand) print() error {
	if s.JSON {
		return s.report.WriteJSON(s.Out)
	}
	return s.report.WriteTable(s.Out)
}

// say tells what is going on.
func (s *stand) say(format string, args ...any) {
	fmt.Fprintf(s.Log, "%-10s "+format+"\n", append([]any{"bench"}, args...)...)
}
