package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// fill lets a lane in as often as there is room for it.
func (s *slots) fill(l lane) (n int) {
	for {
		if _, ok := s.try(l); !ok {
			return n
		}
		n++
	}
}

// A number whose answers are slow may fill three quarters of the slots and no
// more: the last quarter is for lanes that hold less than theirs.
func TestSlowNumberLeavesAQuarterFree(t *testing.T) {
	t.Parallel()
	s := newSlots(16)
	slow, other, third := newLane(), newLane(), newLane()
	if held := s.fill(slow); held != 12 {
		t.Errorf("the slow number holds %d of 16 slots, want 12", held)
	}
	if held := s.fill(other); held != 4 {
		t.Errorf("another number got %d slots, want 4", held)
	}
	if _, ok := s.try(third); ok {
		t.Error("more slots were given than there are")
	}
	s.leave(slow)
	if _, ok := s.try(slow); ok {
		t.Error("the last free slot was given to the number that holds most")
	}
	if _, ok := s.try(third); !ok {
		t.Error("the free slot was not given to the third number")
	}
}

// A campaign that fills its share leaves its own number's replies room.
func TestRepliesHaveSlotsBesideTheCampaign(t *testing.T) {
	t.Parallel()
	s := newSlots(8)
	bulk := newLane()
	s.fill(bulk)
	s.rest(bulk, time.Minute)
	reply := lane{bulk.number, true}
	if _, ok := s.try(reply); !ok || s.resting(reply) > 0 {
		t.Error("a reply waits for the campaign of its number")
	}
}

// A task waits a moment for its lane's slot rather than going back, and ends
// its wait when the slot is free, when the moment is over, or with its context.
func TestTaskWaitsForASlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := newSlots(4), newLane()
		if s.fill(l) != 3 {
			t.Fatal("the last quarter was given to the lane that holds the others")
		}
		began := time.Now()
		if s.take(t.Context(), l) || time.Since(began) != crowd {
			t.Errorf("waited %v, want %v in vain", time.Since(began), crowd)
		}
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan bool)
		go func() { got <- s.take(ctx, l) }()
		synctest.Wait() // it waits now
		cancel()
		if <-got {
			t.Error("a slot was given to a task that had ended")
		}
		began = time.Now()
		for range 2 {
			go func() { got <- s.take(t.Context(), l) }()
		}
		time.Sleep(crowd / 2) // of the bubble's clock
		s.leave(l)
		if !<-got || time.Since(began) != crowd/2 {
			t.Errorf("the free slot was given after %v, want %v", time.Since(began), crowd/2)
		}
		if <-got || time.Since(began) != crowd {
			t.Errorf("one free slot was given twice, after %v", time.Since(began))
		}
	})
}

func TestLaneRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := newSlots(4), newLane()
		s.rest(l, time.Minute)
		if left := s.resting(l); left != time.Minute {
			t.Errorf("rests %v, want a minute", left)
		}
		time.Sleep(time.Minute) // of the bubble's clock
		if left := s.resting(l); left > 0 || len(s.rests) > 0 {
			t.Errorf("rests %v after its rest", left)
		}
	})
}

// forget ends every lane's rest.
func (s *slots) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.rests)
}
