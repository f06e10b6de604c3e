package worker

import (
	"context"
	"sync"
	"time"
)

// slots bounds what one lane may hold of this process's concurrent sends, so
// that numbers whose answers are slow cannot pin them all: beyond a quarter, a
// lane is let in only while another quarter stays free for the others.
type slots struct {
	total, quarter int

	mu    sync.Mutex
	all   int
	of    map[lane]int
	freed chan struct{}      // closed when a slot becomes free
	rests map[lane]time.Time // the limiter lets nothing of these depart before
}

func newSlots(total int) *slots {
	return &slots{total: total, quarter: max(1, total/4), of: map[lane]int{}, freed: make(chan struct{}),
		rests: map[lane]time.Time{}}
}

// crowd is how long a task waits for room before it is given back. Each task
// given back is a write and comes again, so a busy lane's own next task had
// better wait the moment until one of its slots is free.
const crowd = 100 * time.Millisecond

// take enters, and waits for room a moment; false means that the task must be
// given back.
func (s *slots) take(ctx context.Context, l lane) bool {
	freed, ok := s.try(l)
	if ok {
		return true
	}
	late := time.NewTimer(crowd)
	defer late.Stop()
	for !ok {
		select {
		case <-freed:
			freed, ok = s.try(l)
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// try enters if there is room now; else freed tells when to try again.
func (s *slots) try(l lane) (freed <-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The queue counts too, but stops counting a task whose lease it has lost.
	if s.all >= s.total || s.of[l] >= s.quarter && s.total-s.all <= s.quarter {
		return s.freed, false
	}
	s.all++
	s.of[l]++
	return nil, true
}

func (s *slots) leave(l lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[l]--; s.of[l] == 0 {
		delete(s.of, l)
	}
	close(s.freed)
	s.freed = make(chan struct{})
}

// rest remembers that nothing of a lane may depart for a while, so that its
// next messages are not claimed in vain.
func (s *slots) rest(l lane, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rests[l] = time.Now().Add(d)
}

// resting is how long a lane still rests.
func (s *slots) resting(l lane) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := time.Until(s.rests[l])
	if left <= 0 {
		delete(s.rests, l)
	}
	return left
}
