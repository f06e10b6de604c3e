package worker

import (
	"sync"

	"bareed/internal/id"
)

// slots bounds what one number may hold of this process's concurrent sends, so
// that numbers whose answers are slow cannot pin them all: beyond a quarter, a
// number is let in only while another quarter stays free for the others.
type slots struct {
	total, quarter int

	mu  sync.Mutex
	all int
	of  map[id.Number]int
}

func newSlots(total int) *slots {
	return &slots{total: total, quarter: max(1, total/4), of: map[id.Number]int{}}
}

// take enters; false means that the task must be given back.
func (s *slots) take(n id.Number) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[n] >= s.quarter && s.total-s.all <= s.quarter {
		return false
	}
	s.all++
	s.of[n]++
	return true
}

func (s *slots) leave(n id.Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[n]--; s.of[n] == 0 {
		delete(s.of, n)
	}
}
