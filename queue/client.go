package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const (
	// enqueuers is how many tasks of one call are under way at once. asynq sends
	// one task a round trip; 64 come to nine tenths of what Redis can take.
	enqueuers = 64
	epochKey  = "bareed:epoch"
	// allQueues is asynq's own list of queues, which its Inspector and dashboard read.
	allQueues = "asynq:queues"
)

// Client puts tasks into the queues and reads how they stand. It is safe for
// concurrent use.
type Client struct {
	rdb     *redis.Client
	asynq   atomic.Pointer[asynq.Client]
	inspect *asynq.Inspector
}

// NewClient opens a pool of its own; close it with Close.
func NewClient(o *redis.Options) *Client {
	c := &Client{rdb: clone(o, enqueuers)}
	c.asynq.Store(asynq.NewClientFromRedisClient(c.rdb))
	c.inspect = asynq.NewInspectorFromRedisClient(c.rdb)
	return c
}

// Close closes the pool.
func (c *Client) Close() error { return c.rdb.Close() }

// Enqueue hands tasks over, hundreds at a time: 64 of them travel at once, so
// their order is not kept. A task that is already there counts as handed over.
// After an error some of them may be in the queue, which does no harm; the rest
// is not tried.
func (c *Client) Enqueue(ctx context.Context, tasks ...Task) error {
	if len(tasks) == 1 {
		return c.enqueue(ctx, tasks[0])
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(enqueuers, len(tasks)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(tasks)) {
					return
				}
				if err := c.enqueue(ctx, tasks[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (c *Client) enqueue(ctx context.Context, t Task) error {
	task, err := encode(t)
	if err != nil {
		return err
	}
	_, err = c.asynq.Load().EnqueueContext(ctx, task)
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("enqueue %s: %w", t.Name(), err)
	}
	return nil
}

// Epoch returns the mark SetEpoch left, or "" when it is gone: then Redis was
// emptied or replaced, every waiting task is lost and has to be fed again. A
// mark that is not the last one set means an older copy of Redis came back.
func (c *Client) Epoch(ctx context.Context) (string, error) {
	v, err := c.rdb.Get(ctx, epochKey).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("read redis epoch: %w", err)
	}
	return v, nil
}

// SetEpoch leaves a new mark and returns it. The order after a loss is Reset,
// forget what was fed, SetEpoch: a scheduler that dies in between starts over.
func (c *Client) SetEpoch(ctx context.Context) (string, error) {
	v := rand.Text()
	if err := c.rdb.Set(ctx, epochKey, v, 0).Err(); err != nil {
		return "", fmt.Errorf("set redis epoch: %w", err)
	}
	return v, nil
}

// Reset makes the queues known again after Redis was emptied. asynq announces
// a queue with its first task and never again, so without this the dashboard
// would show none.
func (c *Client) Reset(ctx context.Context) error {
	c.asynq.Store(asynq.NewClientFromRedisClient(c.rdb))
	members := make([]any, len(names))
	for i, n := range names {
		members[i] = n
	}
	if err := c.rdb.SAdd(ctx, allQueues, members...).Err(); err != nil {
		return fmt.Errorf("announce queues: %w", err)
	}
	return nil
}
