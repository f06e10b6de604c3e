package worker

import (
	"fmt"
	"sync"

	"bareed/internal/id"
	"bareed/messages"
)

// misfits remembers, per run, which of the last answers refused the values of the
// person (codes of the rule Share). One is that person's data; a share of them is
// the mapping's fault, and the rest would be lost the same way. Of this process
// only, like the streaks.
type misfits struct {
	mu sync.Mutex
	of map[id.Run]*share
}

const (
	// misfitsLeast is below what no share is looked at: two of three are no share.
	misfitsLeast = 3
	// misfitsPart of the last answers may be misfits: one in twenty.
	misfitsPart = 20
)

// note counts one answer; the stop it opens, if they are too many.
func (m *misfits) note(c messages.Claim, code int, bad bool) (o messages.Opening, over bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run := c.Message.Run
	s := m.of[run]
	if s == nil {
		if len(m.of) >= runsKept || m.of == nil {
			m.of = map[id.Run]*share{}
		}
		s = &share{}
		m.of[run] = s
	}
	s.add(bad)
	if !bad || s.sum < misfitsLeast || s.sum*misfitsPart <= s.seen {
		return o, false
	}
	delete(m.of, run) // after its stop a run begins anew
	o = messages.RefusedInARow(c, code)
	o.Reason, o.Threshold = "values_refused", fmt.Sprintf("more than 1 in %d of the last %d", misfitsPart, recentBuilt)
	o.Measured = fmt.Sprintf("%d of the last %d", s.sum, s.seen)
	return o, true
}
