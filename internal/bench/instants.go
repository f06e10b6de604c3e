//go:build unix

package bench

import (
	"math"
	"slices"
	"time"
)

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
