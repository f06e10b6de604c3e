package scheduler

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/clock"
)

// leaderLock is the key of the session lock that makes a scheduler the leader.
const leaderLock = 0x62617265 // "bare"

// lead waits until this process is the leader, runs work, and returns when ctx
// ends or leadership is lost. The lock belongs to a session of its own: if that
// session dies, PostgreSQL gives the lock to the next, so this process must
// notice within seconds and stop. What it still does meanwhile is harmless,
// because every claim and every unique key decides alone.
func (s *Scheduler) lead(ctx context.Context, work func(context.Context)) error {
	conn, err := s.Pool.Direct(ctx)
	if err != nil {
		return fmt.Errorf("connect for leadership: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	for {
		var leads bool
		if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, leaderLock).Scan(&leads); err != nil {
			return fmt.Errorf("ask for leadership: %w", err)
		}
		if leads {
			break
		}
		if !clock.Pause(ctx, time.Second) {
			return ctx.Err()
		}
	}
	if _, err := conn.Exec(ctx, sqlLeads); err != nil {
		return fmt.Errorf("say who leads: %w", err)
	}
	s.Log.Info("this scheduler leads")
	s.leading.Store(true)
	defer s.leading.Store(false)
	held, lost := context.WithCancel(ctx)
	defer lost()
	var watching sync.WaitGroup
	watching.Go(func() { watch(held, conn, lost) })
	work(held)
	lost()
	watching.Wait() // before the connection it asks on is closed
	return ctx.Err()
}

const (
	sqlLeads = `
insert into scheduler_leader (since, beat) values (bareed_now(), bareed_now())
on conflict (one) do update set since = excluded.since, beat = excluded.beat`
	sqlBeat = `update scheduler_leader set beat = bareed_now()`
)

// watch ends held when the session no longer answers.
func watch(held context.Context, conn *pgx.Conn, lost context.CancelFunc) {
	for clock.Pause(held, time.Second) {
		ask, cancel := context.WithTimeout(held, 3*time.Second)
		_, err := conn.Exec(ask, sqlBeat)
		cancel()
		if err != nil {
			lost()
			return
		}
	}
}
