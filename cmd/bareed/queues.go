package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"bareed/queue"
	"bareed/scheduler"
	"bareed/web"
)

// queues reads how the queues, their Redis and their leader stand, for the
// operator's page.
func queues(p *process, client *queue.Client) func(context.Context) (web.Queues, error) {
	var mu sync.Mutex
	var before map[string]int // processed today, at looked
	var looked time.Time
	return func(ctx context.Context) (web.Queues, error) {
		var q web.Queues
		stats, err := client.Stats(ctx)
		if err != nil {
			return q, err
		}
		mu.Lock()
		defer mu.Unlock()
		now, done := time.Now(), map[string]int{}
		for _, s := range stats {
			done[s.Queue] = s.Processed
			q.Queues = append(q.Queues, web.Queue{Name: s.Queue, Waiting: s.Pending, Active: s.Active, Retry: s.Retry,
				Archived: s.Archived, Done: s.Processed, Failed: s.Failed, Oldest: s.Latency,
				Rate: rate(s.Processed-before[s.Queue], now.Sub(looked))})
		}
		before, looked = done, now
		info, err := p.redis.Info(ctx, "memory").Result()
		if err != nil {
			return q, fmt.Errorf("read the memory of Redis: %w", err)
		}
		q.Memory, q.MemoryLimit = figure(info, "used_memory:"), figure(info, "maxmemory:")
		l, err := scheduler.ReadLeader(ctx, p.pool.Engine())
		q.Leader, q.Since, q.Beat = l.Held, l.Since, l.Beat
		return q, err
	}
}

// rate is tasks a second since the page was last looked at; "" when that is too
// long ago, or a new day began.
func rate(n int, since time.Duration) string {
	if n < 0 || since < time.Second || since > 5*time.Minute {
		return ""
	}
	if n == 0 {
		return "0"
	}
	s := strconv.FormatFloat(float64(n)/since.Seconds(), 'f', 1, 64)
	if s == "0.0" {
		return "<0.1"
	}
	return s
}

// figure reads one number of Redis's INFO, 0 when it is not there.
func figure(info, name string) int64 {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return n
		}
	}
	return 0
}
