//go:build unix

package nemesis_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"bareed/internal/prove/nemesis"
)

func options() nemesis.Options {
	o := nemesis.Options{Length: 40 * time.Second, Kills: 25, Flushes: 2, Crashes: 1, Workers: 2, Refusals: 10, Campaigns: []string{"main", "stopped"}}
	for i := range 50 {
		o.People = append(o.People, fmt.Sprintf("+9665%08d", i))
	}
	return o
}

func TestPlanIsTheSeeds(t *testing.T) {
	t.Parallel()
	if a, b := nemesis.Make(7, options()), nemesis.Make(7, options()); !slices.Equal(a, b) {
		t.Error("the same seed gave another plan")
	}
	if a, b := nemesis.Make(7, options()), nemesis.Make(8, options()); slices.Equal(a, b) {
		t.Error("two seeds gave one plan")
	}
}

// Whatever the seed, everything that was asked for is in the plan, webhooks come
// late, and the sending ends without any.
func TestPlanHoldsEverything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		plan := nemesis.Make(seed, options())
		counts := map[string]int{}
		end := nemesis.Step{}
		for _, s := range plan {
			counts[s.Do]++
			if s.Do == nemesis.Outage && s.On == "end" {
				end = s
			}
		}
		for do, want := range map[string]int{nemesis.Kill: 25, nemesis.Flush: 2, nemesis.Crash: 1, nemesis.Roll: 2, nemesis.Outage: 2, nemesis.Late: 1,
			nemesis.Stop: 1, nemesis.Frozen: 1, nemesis.Refuse: 5, nemesis.WriteStop: 5} {
			if counts[do] != want {
				t.Errorf("seed %d: %d of %s, want %d", seed, counts[do], do, want)
			}
		}
		if end.At < 30*time.Second {
			t.Errorf("seed %d: the outage at the end begins at %s", seed, end.At)
		}
		if !slices.IsSortedFunc(plan, func(a, b nemesis.Step) int { return int(a.At - b.At) }) {
			t.Errorf("seed %d: not in order", seed)
		}
	}
}
