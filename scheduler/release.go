package scheduler

import (
	"context"
	"sync"
	"time"

	"bareed/internal/clock"
	"bareed/queue"
)

// release spreads what one look of the feed picked over the time until the next,
// as long as the one before it took, so that a number's messages reach the workers
// as evenly as they may leave. Losing what it holds costs a minute
// (messages.Refeed), nothing else.
type release struct {
	mu   sync.Mutex
	held []timed
}

type timed struct {
	at   time.Time
	task queue.Task
}

// grain is the step of the spreading.
const grain = 20 * time.Millisecond

// add spreads the tasks evenly over the time that begins now.
func (r *release) add(now time.Time, over time.Duration, tasks []queue.Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, t := range tasks {
		r.held = append(r.held, timed{at: now.Add(over * time.Duration(i) / time.Duration(len(tasks))), task: t})
	}
}

// due takes out what is to go by now.
func (r *release) due(now time.Time) []queue.Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []queue.Task
	kept := r.held[:0]
	for _, t := range r.held {
		if t.at.After(now) {
			kept = append(kept, t)
		} else {
			out = append(out, t.task)
		}
	}
	r.held = kept
	return out
}

func (r *release) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = nil
}

// releaseTasks hands over what is due until ctx ends.
func (s *Scheduler) releaseTasks(ctx context.Context) {
	defer s.release.clear()
	for clock.Pause(ctx, grain) {
		tasks := s.release.due(s.Clock())
		if len(tasks) == 0 {
			continue
		}
		if err := s.Queue.Enqueue(ctx, tasks...); err != nil && ctx.Err() == nil {
			s.Log.Error("hand over messages", "count", len(tasks), "error", err)
		}
	}
}
