package queue

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Stats is how one queue stands, in tasks.
type Stats struct {
	Queue     string
	Pending   int // waiting for a slot
	Active    int // in a slot
	Retry     int // waiting after a handler's error
	Archived  int // given up; nothing of ours should ever be, so more than 0 is an alarm
	Size      int // all of them, and those scheduled for later
	Processed int // today (UTC), with Failed among them
	Failed    int // today
	Paused    bool
	Latency   time.Duration // how long the oldest pending task has waited
	Memory    int64         // bytes in Redis, sampled
}

// Stats returns every queue in the order of the table in queue.go; one that was
// never used, or that an emptied Redis forgot, is all zeros until Reset.
func (c *Client) Stats(ctx context.Context) ([]Stats, error) {
	known, err := c.inspect.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	all := make([]Stats, 0, len(names))
	for _, name := range names {
		if err := ctx.Err(); err != nil { // asynq takes no context; each call has the client's time-outs
			return nil, err
		}
		if !slices.Contains(known, name) {
			all = append(all, Stats{Queue: name})
			continue
		}
		q, err := c.inspect.GetQueueInfo(name)
		if err != nil {
			return nil, fmt.Errorf("read queue %s: %w", name, err)
		}
		all = append(all, Stats{
			Queue: name, Pending: q.Pending, Active: q.Active, Retry: q.Retry, Archived: q.Archived,
			Size: q.Size, Processed: q.Processed, Failed: q.Failed, Paused: q.Paused,
			Latency: q.Latency, Memory: q.MemoryUsage,
		})
	}
	return all, nil
}
