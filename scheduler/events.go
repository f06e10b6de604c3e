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

// newEvents is how many events one look takes.
const newEvents = 2000

const sqlNewEvents = `
select workspace_id, id
from event
where state = 'new'
  and (feed_after is null or feed_after <= bareed_now())
order by received_at
limit $1`

// sqlNewEventsInTurn takes as many of each workspace as of any other, its oldest
// first. It asks for each workspace there is, so it is for backlogs alone.
const sqlNewEventsInTurn = `
select e.workspace_id, e.id
from workspace w
cross join lateral (
    select e.workspace_id, e.id, row_number() over (order by e.received_at) as turn
    from event e
    where e.workspace_id = w.workspace_id
      and e.state = 'new'
      and (e.feed_after is null or e.feed_after <= bareed_now())
    order by e.received_at
    limit $1) e
order by e.turn
limit $1`

// offer is a stored event that may be handed over.
type offer struct {
	Workspace id.Workspace
	Event     id.Event
}

// newOffers lists the oldest new events. When there are more than one look takes,
// they may all be of one workspace: then the workspaces take turns.
func (s *Scheduler) newOffers(ctx context.Context, most int) ([]offer, error) {
	var list []offer
	for _, sql := range []string{sqlNewEvents, sqlNewEventsInTurn} {
		rows, err := s.Pool.Engine().Query(ctx, sql, most)
		if err != nil {
			return nil, fmt.Errorf("find new events: %w", err)
		}
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[offer]); err != nil {
			return nil, fmt.Errorf("find new events: %w", err)
		}
		if len(list) < most {
			break
		}
	}
	return list, nil
}

// events turns stored webhook events into tasks, oldest first, in batches of
// one workspace.
func (s *Scheduler) events(ctx context.Context) error {
	list, err := s.newOffers(ctx, newEvents)
	if err != nil {
		return err
	}
	now := s.Clock()
	waiting := map[id.Workspace][]id.Event{}
	for _, e := range list {
		if s.offered.take(e.Event, now) {
			waiting[e.Workspace] = append(waiting[e.Workspace], e.Event)
		}
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
