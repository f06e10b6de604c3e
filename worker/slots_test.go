package worker

import (
	"context"
	"sync"
	"testing"
	"time"

	"bareed/internal/id"
)

// A number whose answers are slow may fill three quarters of the slots and no
// more: the last quarter is for numbers that hold less than theirs.
func TestSlowNumberLeavesAQuarterFree(t *testing.T) {
	t.Parallel()
	s := newSlots(16)
	slow, other := id.New[id.Number](), id.New[id.Number]()
	held := 0
	for {
		if _, ok := s.try(slow); !ok {
			break
		}
		held++
	}
	if held != 12 {
		t.Errorf("the slow number holds %d of 16 slots, want 12", held)
	}
	for i := range 4 {
		if _, ok := s.try(other); !ok {
			t.Errorf("another number did not get its slot %d", i+1)
		}
	}
	if _, ok := s.try(other); ok {
		t.Error("more slots were given than there are")
	}
}

// A task waits a moment for its number's slot rather than going back, and ends
// its wait when the slot is free, when the moment is over, or with its context.
func TestTaskWaitsForASlot(t *testing.T) {
	t.Parallel()
	s := newSlots(4)
	n := id.New[id.Number]()
	for range 3 {
		s.take(t.Context(), n)
	}
	if s.take(t.Context(), n) {
		t.Fatal("the last quarter was given to the number that holds the others")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.take(ctx, n) {
		t.Error("a slot was given to a task that had ended")
	}
	var wg sync.WaitGroup
	got := make(chan bool, 1)
	wg.Go(func() { got <- s.take(t.Context(), n) })
	s.leave(n)
	wg.Wait()
	if !<-got {
		t.Error("the free slot was not given")
	}
	s.rest(n, time.Minute)
	if left := s.resting(n); left <= 50*time.Second || left > time.Minute {
		t.Errorf("the number rests %v, want a minute", left)
	}
}

// Questions that wait together are answered by one call, each by its own
// answer, and never more than one of a slot at a time.
func TestBatchesAnswerEachQuestion(t *testing.T) {
	t.Parallel()
	var pending sync.WaitGroup
	var mu sync.Mutex
	calls, asked := 0, 0
	b := newBatches(&pending, func(_ context.Context, _ id.Workspace, qs []int) ([]int, error) {
		mu.Lock()
		defer mu.Unlock()
		calls, asked = calls+1, asked+len(qs)
		out := make([]int, len(qs))
		for i, q := range qs {
			out[i] = q * q
		}
		return out, nil
	})
	ws := id.New[id.Workspace]()
	var wg sync.WaitGroup
	const slots = 500
	for i := range slots {
		wg.Go(func() {
			if got, err := b.ask(t.Context(), ws, i); err != nil || got != i*i {
				t.Errorf("%d: got %d, %v", i, got, err)
			}
		})
	}
	wg.Wait()
	pending.Wait()
	if asked != slots || calls > slots {
		t.Errorf("%d questions in %d calls, want %d", asked, calls, slots)
	}
	if len(b.waiting) != 0 || len(b.flying) != 0 {
		t.Errorf("something is left: %d waiting, %d flying", len(b.waiting), len(b.flying))
	}
}
