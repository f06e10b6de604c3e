package worker

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bareed/internal/id"
)

func newLane() lane { return lane{number: id.New[id.Number]()} }

// inside is how many hold a turn, and how many wait for one.
func (t *turns) inside(l lane) (held, line int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if it := t.of[l]; it != nil {
		return it.held, len(it.line)
	}
	return 0, 0
}

func (t *turns) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.of) == 0
}

func TestTurnsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns, l := newTurns(), newLane()
		var mu sync.Mutex
		now, most, had := 0, 0, 0
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if !turns.take(t.Context(), l, 3, time.Minute) {
					t.Error("no turn within a minute")
					return
				}
				mu.Lock()
				now, had = now+1, had+1
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Millisecond) // of the bubble's clock
				mu.Lock()
				now--
				mu.Unlock()
				turns.leave(l)
			})
		}
		wg.Wait()
		if most != 3 || had != 50 {
			t.Errorf("%d had a turn, %d at once; want 50, 3 at once", had, most)
		}
		if !turns.empty() {
			t.Error("a lane nobody is in is remembered")
		}
	})
}

// A turn goes to who has waited longest, from whichever goroutine it is left.
func TestTurnsGoByArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns, l := newTurns(), newLane()
		if !turns.take(t.Context(), l, 1, 0) {
			t.Fatal("a free turn was refused")
		}
		got := make(chan int, 3)
		for i := range 3 {
			go func() {
				if turns.take(t.Context(), l, 1, time.Minute) {
					got <- i
				}
			}()
			synctest.Wait()
		}
		for i := range 3 {
			go turns.leave(l)
			if first := <-got; first != i {
				t.Errorf("turn %d went to %d", i, first)
			}
		}
		turns.leave(l)
		turns.leave(l) // once too often: nothing breaks
		if !turns.empty() {
			t.Error("a lane nobody is in is remembered")
		}
	})
}

func TestTurnsWaitNoLongerThanTheyMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns, l := newTurns(), newLane()
		turns.take(t.Context(), l, 1, 0)
		began := time.Now()
		if turns.take(t.Context(), l, 1, 250*time.Millisecond) || time.Since(began) != 250*time.Millisecond {
			t.Errorf("waited %v, want 250 ms in vain", time.Since(began))
		}
		if turns.take(t.Context(), l, 1, -time.Second) {
			t.Error("a taken turn was given to one that could not wait")
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() { ended <- turns.take(ctx, l, 1, time.Hour) }()
		synctest.Wait()
		cancel()
		if <-ended {
			t.Error("a turn was given to one that had gone")
		}
		if held, line := turns.inside(l); held != 1 || line != 0 {
			t.Errorf("%d hold a turn and %d wait, want 1 and nobody", held, line)
		}
		turns.leave(l)
		if !turns.take(t.Context(), l, 1, 0) {
			t.Error("the turn is lost")
		}
		turns.leave(l)
	})
}

// A number neither waits for another, nor its replies for its campaign.
func TestLanesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	turns, busy := newTurns(), newLane()
	turns.take(t.Context(), busy, 1, 0)
	for _, l := range []lane{newLane(), {busy.number, true}} {
		if !turns.take(t.Context(), l, 1, 0) {
			t.Errorf("%+v waited for another lane", l)
		}
	}
}

// A number whose throughput rises while it is busy need not become idle first.
func TestTurnsGrowAndShrinkWhileBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns, l := newTurns(), newLane()
		turns.take(t.Context(), l, 1, 0)
		got := make(chan bool, 3)
		go func() { got <- turns.take(t.Context(), l, 1, time.Minute) }()
		synctest.Wait()
		if !turns.take(t.Context(), l, 3, 0) || !<-got {
			t.Fatal("the larger size does not hold at once")
		}
		if turns.take(t.Context(), l, 2, 0) {
			t.Fatal("three are in and two may be")
		}
		turns.leave(l)
		if turns.take(t.Context(), l, 2, 0) {
			t.Error("two are in and a third came")
		}
		turns.leave(l)
		if !turns.take(t.Context(), l, 2, 0) {
			t.Error("one is in and the second was refused")
		}
	})
}

// Whatever ends a wait, no turn is lost and none is given twice.
func TestTurnsSurviveImpatience(t *testing.T) {
	t.Parallel()
	turns, lanes := newTurns(), []lane{newLane(), newLane()}
	var wg sync.WaitGroup
	for g := range uint64(32) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(g, 1))
			for range 300 {
				l := lanes[r.IntN(len(lanes))]
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(200))*time.Microsecond)
				if turns.take(ctx, l, 2, time.Duration(r.IntN(200))*time.Microsecond) {
					if held, _ := turns.inside(l); held < 1 || held > 2 {
						t.Errorf("%d hold a turn, want 1 or 2", held)
					}
					turns.leave(l)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if !turns.empty() {
		t.Error("a turn was lost")
	}
}
