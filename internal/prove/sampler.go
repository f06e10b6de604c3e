//go:build unix

package prove

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/client"
	"bareed/internal/clock"
)

// sampler looks at the accounting identity all the time: in the picture that
// people see, in the rows themselves, and through the API.
type sampler struct {
	admin  *pgxpool.Pool
	work   *work
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	seen   int
	bad    []string
}

func sample(hard context.Context, admin *pgxpool.Pool, w *work) *sampler {
	ctx, cancel := context.WithCancel(hard)
	s := &sampler{admin: admin, work: w, cancel: cancel}
	s.wg.Go(func() { s.every(ctx, 200*time.Millisecond, s.pictures) })
	s.wg.Go(func() { s.every(ctx, time.Second, s.rows) })
	s.wg.Go(func() { s.every(ctx, 200*time.Millisecond, s.reports) })
	return s
}

func (s *sampler) every(ctx context.Context, d time.Duration, look func(context.Context) error) {
	for clock.Pause(ctx, d) {
		brief, cancel := context.WithTimeout(ctx, 2*time.Second)
		_ = look(brief) // PostgreSQL and the API are away now and then: that sample is none
		cancel()
	}
}

func (s *sampler) note(good bool, what string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	if !good {
		s.bad = append(s.bad, fmt.Sprintf(what, args...))
	}
}

const sqlPictures = `
select run_id::text, total,
    (select coalesce(sum(value::bigint), 0) from jsonb_each_text(suppressed)) + ready + sending + held + accepted
        + (select coalesce(sum(value::bigint), 0) from jsonb_each_text(failed)) + unknown + unconfirmed
from run_snapshot`

const sqlCounted = `
select r.id::text, r.planned::bigint, (select count(*) from message m where m.run_id = r.id)
from run r`

func (s *sampler) pictures(ctx context.Context) error {
	return s.compare(ctx, "the picture", sqlPictures)
}
func (s *sampler) rows(ctx context.Context) error { return s.compare(ctx, "the rows", sqlCounted) }

// balance is one run's total and the sum of its parts.
type balance struct {
	Run        string
	Total, Sum int64
}

// compare notes whether the second and the third column agree.
func (s *sampler) compare(ctx context.Context, what, sql string) error {
	rows, err := s.admin.Query(ctx, sql)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[balance])
	if err != nil {
		return err
	}
	s.weigh(what, list)
	return nil
}

func (s *sampler) weigh(what string, list []balance) {
	for _, l := range list {
		s.note(l.Total == l.Sum, "%s of run %s: %d of %d", what, l.Run, l.Sum, l.Total)
	}
}

func (s *sampler) reports(ctx context.Context) error {
	for name, campaign := range s.work.launched() {
		r, err := s.work.world.Client.GetReport(ctx, campaign)
		if err != nil {
			return err
		}
		s.weighReport(name, r)
	}
	return nil
}

// weighReport believes no report that calls itself balanced.
func (s *sampler) weighReport(name string, r client.Report) {
	sum := r.SuppressedTotal + r.Ready + r.Sending + r.Held + r.Accepted + r.FailedTotal + r.Unknown + r.Unconfirmed
	s.note(r.Balanced && r.Total == sum, "the report of %s: %d of %d", name, sum, r.Total)
}

func (s *sampler) stop() {
	s.cancel()
	s.wg.Wait()
}

func (s *sampler) figures() (seen, bad int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, len(s.bad)
}

func (s *sampler) first() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bad) == 0 {
		return ""
	}
	return s.bad[0]
}
