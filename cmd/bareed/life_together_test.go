//go:build unix

package main_test

import (
	"testing"

	"bareed/internal/rig"
)

// One product of two workers and two schedulers, and at the same time everything
// that touches one tenant alone: an ordinary day, waves, what Meta holds back, a
// limit, the quick start, and workers that are deployed anew under all of them.
func TestLife(t *testing.T) {
	t.Parallel()
	l := run(t, 2, 2, "BAREED_BREAKER_LIMITS=held_most=1..5000,wave_wait=0..10,waves_from=1..100000,canary_people=1..100000")
	l.shared = true
	t.Run("together", func(t *testing.T) {
		for i, tenant := range []struct {
			name      string
			life      func(*life)
			perSecond int
			limit     string
		}{
			{"a campaign", (*life).ofACampaign, 1000, "TIER_100K"},
			{"in waves", (*life).inWaves, 1000, "TIER_100K"},
			{"held messages", (*life).ofHeldMessages, 1000, "TIER_100K"},
			{"a limit over several workers", (*life).withinItsLimit, 80, "TIER_250"},
			{"the quick start", (*life).quickstart, 1000, "TIER_100K"},
			{"SIGTERM leaves nothing unknown", (*life).deployed, 1000, "TIER_100K"},
		} {
			t.Run(tenant.name, func(t *testing.T) {
				t.Parallel()
				l := l.with(t)
				l.settle(rig.MetaOf(i+1, tenant.perSecond, tenant.limit))
				tenant.life(l)
			})
		}
	})
	l.until("every receipt", func() bool { return l.summary().Webhooks.Pending == 0 })
}
