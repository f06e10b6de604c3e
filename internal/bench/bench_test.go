//go:build unix

package bench

import (
	"math"
	"testing"
	"time"
)

func TestPartsAreKnown(t *testing.T) {
	t.Parallel()
	c := Config{Parts: []string{"claim"}}
	if err := c.defaults(); err == nil {
		t.Error("an unknown part was taken")
	}
	c = Config{}
	if err := c.defaults(); err != nil || len(c.Parts) != 4 || c.Rounds != 3 {
		t.Errorf("got %+v, %v", c, err)
	}
}

// at makes instants from milliseconds.
func at(ms ...int) []time.Time {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out := make([]time.Time, len(ms))
	for i, m := range ms {
		out[i] = start.Add(time.Duration(m) * time.Millisecond)
	}
	return out
}

func TestPerSecondAndWithin(t *testing.T) {
	t.Parallel()
	list := at(0, 100, 200, 300, 400)
	if got := perSecond(list); got != 10 {
		t.Errorf("perSecond = %v, want 10", got)
	}
	if got := perSecond(list[:1]); got != 0 {
		t.Errorf("perSecond of one = %v, want 0", got)
	}
	if got := perSecond(at(5, 5)); !math.IsInf(got, 1) {
		t.Errorf("perSecond of one instant = %v, want infinity", got)
	}
	if got := within(list, list[1], 200*time.Millisecond); len(got) != 2 || !got[0].Equal(list[1]) {
		t.Errorf("within = %v, want the second and third", got)
	}
}
