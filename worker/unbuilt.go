package worker

import (
	"fmt"
	"sync"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/whatsapp"
)

// unbuilt remembers, per run, which of the last messages could not be built from
// their row. One is that person's failure alone; a share of them is a fault of the
// template or of the data, and the rest would be lost the same way.
type unbuilt struct {
	mu sync.Mutex
	of map[id.Run]*share
}

// share is what was seen of the last messages of a run.
type share struct {
	bad  [recentBuilt]bool
	next int
	seen int
	sum  int // of bad
}

const (
	recentBuilt = 200
	// unbuiltMost of them may fail: one in a hundred.
	unbuiltMost = recentBuilt / 100
)

// add puts one message in the place of the oldest.
func (s *share) add(bad bool) {
	if s.bad[s.next] {
		s.sum--
	}
	if s.bad[s.next] = bad; bad {
		s.sum++
	}
	s.next, s.seen = (s.next+1)%recentBuilt, min(s.seen+1, recentBuilt)
}

// note counts one message and returns how many of the last could not be built.
func (u *unbuilt) note(run id.Run, bad bool) (sum, seen int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.of[run]
	if s == nil {
		if len(u.of) >= runsKept || u.of == nil {
			u.of = map[id.Run]*share{}
		}
		s = &share{}
		u.of[run] = s
	}
	s.add(bad)
	if s.sum > unbuiltMost {
		delete(u.of, run) // after its stop a run begins anew
	}
	return s.sum, s.seen
}

// failBuild is the answer of a claim whose message could not be built; the third
// among the last 200 stops the campaign.
func (w *Worker) failBuild(c messages.Claim) answer {
	r := messages.Return(c)
	r.Outcome, r.State, r.Reason = "render", messages.Failed, "render"
	a := answer{claim: c, result: r}
	if sum, seen := w.unbuilt.note(c.Message.Run, true); sum > unbuiltMost {
		o := messages.RefusedInARow(c, whatsapp.CodeInvalidBeforeSend)
		o.Reason, o.Threshold = "render_failed", fmt.Sprintf("more than %d of the last %d", unbuiltMost, recentBuilt)
		o.Measured, o.By = fmt.Sprintf("%d of the last %d", sum, seen), "system:send"
		a.stop = &o
	}
	return a
}
