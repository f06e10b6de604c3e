package scheduler

import (
	"sync"
	"time"
)

// repeatAfter is how often the same trouble of a job is logged: jobs run every
// second and fail for hours when the cause is outside.
const repeatAfter = time.Minute

// trouble remembers what each job last failed with.
type trouble struct {
	mu   sync.Mutex
	last map[string]told
}

type told struct {
	what  string
	at    time.Time
	again int // times since, untold
}

// tells reports whether a job's trouble is to be logged now, and how often it
// came since it last was.
func (t *trouble) tells(job, what string, now time.Time) (again int, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.last[job]
	if l.what == what && now.Sub(l.at) < repeatAfter {
		l.again++
		t.last[job] = l
		return 0, false
	}
	if l.what == what {
		again = l.again
	}
	if t.last == nil {
		t.last = map[string]told{}
	}
	t.last[job] = told{what: what, at: now}
	return again, true
}
