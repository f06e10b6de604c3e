package scheduler

import (
	"context"
	"time"

	"bareed/queue"
)

// Tick is how often the feed looks.
const Tick = tick

// Handed is a message the feed hands over, and when it would reach the queue.
type Handed struct {
	At   time.Time
	Task queue.SendMessage
}

// Hand is one look of the feed in place of Run, for a simulation that moves the
// clock itself: what would go to the queue until the next look is given back and
// nothing is enqueued.
func (s *Scheduler) Hand(ctx context.Context) ([]Handed, error) {
	err := s.feedBy(ctx, 1)
	s.release.mu.Lock()
	defer s.release.mu.Unlock()
	var list []Handed
	for _, t := range s.release.held {
		if m, ok := t.task.(queue.SendMessage); ok {
			list = append(list, Handed{At: t.at, Task: m})
		}
	}
	s.release.held = nil
	return list, err
}

// Sweep frees the places that are over, once, as the job does every five seconds.
func (s *Scheduler) Sweep(ctx context.Context) error { return s.places(ctx) }

// Repair reconciles the open runs once, as the job does every second.
func (s *Scheduler) Repair(ctx context.Context) error { return s.reconcile(ctx) }
