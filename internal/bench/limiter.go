//go:build unix

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/bench/report"
	"bareed/internal/id"
	"bareed/limits"
)

// errExhausted says that there is nothing left to measure with.
var errExhausted = errors.New("nothing left")

const (
	limiterTime    = 500 * time.Millisecond
	limiterCallers = 64
)

// limiter measures the question "may this number send now" beside the least
// that a question to Redis can be.
func (s *stand) limiter(ctx context.Context) error {
	s.say("limiter, %d rounds", s.Rounds)
	rdb := s.servers.redis
	l := limits.New(rdb, limits.Config{})
	// A script that touches one key and nothing else.
	bare := redis.NewScript(`return redis.call('INCR', KEYS[1])`)
	if err := bare.Load(ctx, rdb).Err(); err != nil {
		return fmt.Errorf("load the bare script: %w", err)
	}
	ask := limits.Ask{Number: id.New[id.Number](), PerSecond: 1_000_000_000, Bulk: true}
	if err := warm(ctx, l, ask); err != nil {
		return err
	}
	kinds := []func(context.Context) (int, error){
		func(ctx context.Context) (int, error) { return 1, rdb.Ping(ctx).Err() },
		func(ctx context.Context) (int, error) {
			return 1, bare.EvalSha(ctx, rdb, []string{"bareed:bench"}).Err()
		},
		func(ctx context.Context) (int, error) {
			a := ask
			a.Contact = id.New[id.Contact]()
			g, err := l.Take(ctx, a)
			if err == nil && !g.OK {
				return 0, fmt.Errorf("the limiter refused: %s", g.Reason)
			}
			return 1, err
		},
	}
	var ping, script []report.Pair
	for range s.Rounds {
		var got [3]float64
		for i, do := range kinds {
			var err error
			if got[i], err = rate(ctx, limiterCallers, limiterTime, do); err != nil {
				return err
			}
		}
		ping, script = append(ping, report.Pair{Ours: got[2], Ceiling: got[0]}), append(script, report.Pair{Ours: got[2], Ceiling: got[1]})
	}
	s.report.Figures = append(s.report.Figures,
		report.Sum("limiter", "may this number send, granted, with pair", "PING, 64 callers", ping),
		report.Sum("limiter", "may this number send, granted, with pair", "EVALSHA of INCR on one key", script))
	return nil
}

// warm waits until a number that nobody knew may send.
func warm(ctx context.Context, l *limits.Limiter, a limits.Ask) error {
	for {
		g, err := l.Take(ctx, a)
		if err != nil || g.OK {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(g.Retry):
		}
	}
}
