package worker

import (
	"context"
	"sync"
	"time"

	"bareed/internal/id"
)

// slots bounds what one number may hold of this process's concurrent sends, so
// that numbers whose answers are slow cannot pin them all: beyond a quarter, a
// number is let in only while another quarter stays free for the others.
type slots struct {
	total, quarter int

	mu    sync.Mutex
	all   int
	of    map[id.Number]int
	freed chan struct{}           // closed when a slot becomes free
	rests map[id.Number]time.Time // the limiter lets nothing of these depart before
}

func newSlots(total int) *slots {
	return &slots{total: total, quarter: max(1, total/4), of: map[id.Number]int{}, freed: make(chan struct{}),
		rests: map[id.Number]time.Time{}}
}

// crowd is how long a task waits for room before it is given back. Each task
// given back is a write and comes again, so a busy number's own next task had
// better wait the moment until one of its slots is free.
const crowd = 100 * time.Millisecond

// take enters, and waits for room a moment; false means that the task must be
// given back.
func (s *slots) take(ctx context.Context, n id.Number) bool {
	freed, ok := s.try(n)
	if ok {
		return true
	}
	late := time.NewTimer(crowd)
	defer late.Stop()
	for !ok {
		select {
		case <-freed:
			freed, ok = s.try(n)
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// try enters if there is room now; else freed tells when to try again.
func (s *slots) try(n id.Number) (freed <-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The queue counts too, but stops counting a task whose lease it has lost.
	if s.all >= s.total || s.of[n] >= s.quarter && s.total-s.all <= s.quarter {
		return s.freed, false
	}
	s.all++
	s.of[n]++
	return nil, true
}

func (s *slots) leave(n id.Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[n]--; s.of[n] == 0 {
		delete(s.of, n)
	}
	close(s.freed)
	s.freed = make(chan struct{})
}

// rest remembers that nothing of a number may depart for a while, so that its
// next messages are not claimed in vain.
func (s *slots) rest(n id.Number, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rests[n] = time.Now().Add(d)
}

// resting is how long a number still rests.
func (s *slots) resting(n id.Number) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := time.Until(s.rests[n])
	if left <= 0 {
		delete(s.rests, n)
	}
	return left
}
