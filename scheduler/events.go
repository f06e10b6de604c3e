package scheduler

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/queue"
)

// eventBatch is how many stored webhook events one task applies.
const eventBatch = 20

const sqlNewEvents = `
select workspace_id, id
from event
where state = 'new'
  and (feed_after is null or feed_after <= bareed_now())
order by received_at
limit 2000`

// events turns stored webhook events into tasks, oldest first, in batches of
// one workspace.
func (s *Scheduler) events(ctx context.Context) error {
	rows, err := s.Pool.Engine().Query(ctx, sqlNewEvents)
	if err != nil {
		return fmt.Errorf("find new events: %w", err)
	}
	var ws id.Workspace
	var ev id.Event
	now := s.Clock()
	waiting := map[id.Workspace][]id.Event{}
	_, err = pgx.ForEachRow(rows, []any{&ws, &ev}, func() error {
		if s.offered.take(ev, now) {
			waiting[ws] = append(waiting[ws], ev)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find new events: %w", err)
	}
	s.offered.trim(now)
	var tasks []queue.Task
	for ws, list := range waiting {
		for len(list) > 0 {
			n := min(eventBatch, len(list))
			tasks = append(tasks, queue.ApplyEvents{Workspace: ws, Events: list[:n], Feed: now.UnixMilli()})
			list = list[n:]
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	return s.Queue.Enqueue(ctx, tasks...)
}

// offered remembers for ten seconds which events were handed over, so that
// each tick does not hand them over again. Losing it only costs twins, which
// find the event applied.
type offered struct {
	mu sync.Mutex
	at map[id.Event]time.Time
}

const offerLease = 10 * time.Second

func newOffered() *offered { return &offered{at: map[id.Event]time.Time{}} }

func (o *offered) take(ev id.Event, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Sub(o.at[ev]) < offerLease {
		return false
	}
	o.at[ev] = now
	return true
}

func (o *offered) trim(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for ev, at := range o.at {
		if now.Sub(at) >= offerLease {
			delete(o.at, ev)
		}
	}
}

func (o *offered) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.at)
}
