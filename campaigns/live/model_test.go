package live_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bareed/campaigns/live"
)

// TestResumeExactlyOnce: people come and go at random while events happen in
// bursts, some stay away for longer than events are kept, and each one who goes
// on after the last event it saw gets every event once and in order. The model
// is one number for each: the last event it saw.
func TestResumeExactlyOnce(t *testing.T) {
	t.Parallel()
	var readers atomic.Int64
	w := newWorld(t, func(c *live.Config) {
		c.Tick = func(time.Duration) (<-chan time.Time, func()) { // as fast as the database
			readers.Add(1)
			beat := time.NewTicker(time.Millisecond)
			return beat.C, func() { beat.Stop(); readers.Add(-1) }
		}
	})
	const people, bursts, burst = 12, 24, 60
	end := w.newest(t) + bursts*burst
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for seed := range uint64(people) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 7))
			for at := int64(0); at < end && ctx.Err() == nil && !t.Failed(); {
				at = w.stay(ctx, t, r, at, end)
			}
		})
	}
	for i := range bursts {
		w.happen(t, burst)
		w.progress(t, 1+i%5)
	}
	all.Wait()
	if ctx.Err() != nil {
		t.Fatal("not everybody saw everything in time")
	}
	w.allGone(t)
	if n := readers.Load(); n != 0 {
		t.Errorf("%d readers go on", n)
	}
}

// stay watches for some updates and returns the last event that was seen.
func (w *world) stay(ctx context.Context, t *testing.T, r *rand.Rand, at, end int64) int64 {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	v, err := w.hub.Watch(ctx, w.part(), w.campaign, at)
	if err != nil {
		t.Errorf("watch after %d: %v", at, err)
		return at
	}
	defer v.Close()
	version := int64(0)
	for range 1 + r.IntN(6) {
		if at >= end {
			break
		}
		u, err := v.Next(ctx)
		if err != nil {
			t.Errorf("after %d: %v", at, err)
			return at
		}
		for _, e := range u.Events {
			if at++; e.Sequence != at {
				t.Errorf("event %d, want %d", e.Sequence, at)
				return at
			}
		}
		if p := u.Picture; p != nil {
			if p.Version <= version || !p.Report.Balanced || p.Report.Total != 5 {
				t.Errorf("picture %d after %d: %+v", p.Version, version, p.Report.Figures)
			}
			version = p.Version
		}
	}
	return at
}

// TestComeAndGo: joining and leaving at the same moment, over and over, leaves
// nobody and no reader behind, and everybody who comes is served.
func TestComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for seed := range uint64(16) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 3))
			for range 25 {
				ctx, leave := context.WithCancel(t.Context())
				v, err := w.hub.Watch(ctx, w.part(), w.campaign, 0)
				if err != nil {
					t.Error(err)
					leave()
					return
				}
				if r.IntN(3) > 0 {
					if u, err := v.Next(ctx); err != nil || u.Picture == nil {
						t.Errorf("first update %+v: %v", u, err)
					}
				}
				leave()
				if _, err := v.Next(ctx); r.IntN(2) == 0 && err == nil {
					_, _ = v.Next(ctx) // what was there is still given; then it ends
				}
				v.Close()
			}
		})
	}
	all.Wait()
	if viewers, feeds := w.hub.Count(); viewers+feeds != 0 {
		t.Errorf("%d viewers and %d feeds are left", viewers, feeds)
	}
}
