//go:build unix

package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/internal/bench/report"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
)

const (
	// claimTime is how long each kind of claim is measured per round.
	claimTime = 700 * time.Millisecond
	// flights and perFlight are the shape that 32 slots take in the worker: at
	// most three statements of a workspace on their way, shared by who waits.
	flights   = 3
	perFlight = slots / flights
	// claimRun is the messages of one round.
	claimRun = 20_000
)

// claims measures durable claims beside the barest durable statement that can
// keep two workers from sending the same message: one row, by key, conditional.
func (s *stand) claims(ctx context.Context) error {
	s.say("durable claims, %d rounds", s.Rounds)
	w, err := s.theWorld(ctx)
	if err != nil {
		return err
	}
	n, err := w.addNumber(ctx, 1000)
	if err != nil {
		return err
	}
	bare, err := s.bareTable(ctx)
	if err != nil {
		return err
	}
	defer bare.Close()
	var single, batched []report.Pair
	for round := range s.Rounds {
		one, many, err := w.claimRound(ctx, n, bare, round)
		if err != nil {
			return err
		}
		single, batched = append(single, one), append(batched, many)
	}
	const against = "bare durable UPDATE of one row, 32 connections"
	s.report.Figures = append(s.report.Figures,
		report.Sum("durable claims", "one claim a transaction, 32 slots", against, single),
		report.Sum("durable claims", "32 slots sharing statements, as the worker", against, batched))
	return nil
}

// claimRound measures both kinds of claim on a run of its own, and the ceiling just
// before them.
func (w *world) claimRound(ctx context.Context, n numbers.Number, bare *pgxpool.Pool, round int) (one, many report.Pair, err error) {
	d, err := w.addRun(ctx, n, claimRun)
	if err != nil {
		return one, many, err
	}
	if err := w.begin(ctx, d); err != nil {
		return one, many, err
	}
	next := &atomic.Int32{}
	if err := w.warmClaims(ctx, d, next); err != nil {
		return one, many, err
	}
	ceiling, err := bareUpdates(ctx, bare, round)
	if err != nil {
		return one, many, err
	}
	one.Ceiling, many.Ceiling = ceiling, ceiling
	if one.Ours, err = w.claimRate(ctx, d, next, slots, 1); err != nil {
		return one, many, err
	}
	if many.Ours, err = w.claimRate(ctx, d, next, flights, perFlight); err != nil {
		return one, many, err
	}
	return one, many, w.end(ctx, d)
}

// bareTable makes the ceiling's table and the connections to it.
func (s *stand) bareTable(ctx context.Context) (*pgxpool.Pool, error) {
	for _, sql := range []string{
		`create table bench_bare (id int primary key, state text not null, at timestamptz)`,
		`insert into bench_bare select i, 'ready' from generate_series(1, 100000) as i`,
		`grant select, update on bench_bare to bareed_app`,
		`analyze bench_bare`,
	} {
		if err := s.servers.exec(ctx, sql); err != nil {
			return nil, err
		}
	}
	cfg, err := pgxpool.ParseConfig(s.servers.url)
	if err != nil {
		return nil, fmt.Errorf("open the bare pool: %w", err)
	}
	cfg.MaxConns, cfg.MinConns = slots, slots
	cfg.ConnConfig.RuntimeParams["role"] = "bareed_app"
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	return pgxpool.NewWithConfig(ctx, cfg)
}

const bareUpdate = `update bench_bare set state = 'sending', at = now() where id = $1 and state = 'ready'`

// bareUpdates is the ceiling: updates a second. Each round has rows of its own.
func bareUpdates(ctx context.Context, pool *pgxpool.Pool, round int) (float64, error) {
	var next atomic.Int32
	next.Store(int32(round * 20_000 % 100_000))
	return rate(ctx, slots, claimTime, func(ctx context.Context) (int, error) {
		tag, err := pool.Exec(ctx, bareUpdate, next.Add(1))
		return int(tag.RowsAffected()), err
	})
}

// warmClaims lets every connection settle on its plan: PostgreSQL makes the
// first five of a prepared statement anew.
func (w *world) warmClaims(ctx context.Context, d draft, next *atomic.Int32) error {
	var left atomic.Int32
	left.Store(10 * slots)
	_, err := rate(ctx, slots, time.Minute, func(ctx context.Context) (int, error) {
		if left.Add(-1) < 0 {
			return 0, errExhausted
		}
		return w.claim(ctx, d, next, 1)
	})
	return err
}

// claimRate claims a run's messages in order, so many together, and counts
// those that were granted.
func (w *world) claimRate(ctx context.Context, d draft, next *atomic.Int32, callers, together int) (float64, error) {
	return rate(ctx, callers, claimTime, func(ctx context.Context) (int, error) { return w.claim(ctx, d, next, together) })
}

func (w *world) claim(ctx context.Context, d draft, next *atomic.Int32, together int) (int, error) {
	wants := make([]messages.Want, together)
	last := next.Add(int32(together))
	for i := range wants {
		wants[i] = messages.Want{Message: id.Message{Run: d.run, Ordinal: last - int32(i)}, Token: uuid.New()}
	}
	if int(last) > d.count {
		return 0, errExhausted
	}
	got, err := messages.ClaimAll(ctx, w.pool, w.ws, "bench", wants)
	if err == nil && len(got) != together {
		err = fmt.Errorf("%d of %d claims were granted", len(got), together)
	}
	return len(got), err
}

// rate lets callers do something again and again for a time and gives what they
// did a second; errExhausted ends it early without harm.
func rate(ctx context.Context, callers int, d time.Duration, do func(context.Context) (int, error)) (float64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(began) < d {
				n, err := do(ctx)
				done.Add(int64(n))
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began).Seconds()
	if err := context.Cause(ctx); err != nil && err != errExhausted {
		return 0, err
	}
	return float64(done.Load()) / took, nil
}
