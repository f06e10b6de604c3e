package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages/behind"
)

// idle is how often the ledger's mark is raised while nothing is being sent;
// while something is, it is with every tick, before anything is handed over.
const idle = time.Second

// Behind is how many workspaces are held because the database had lost what it
// had committed, as this process last saw it while it led.
func (s *Scheduler) Behind() int64 { return s.behind.Load() }

// guard compares how far the database has come with what Redis was told, and
// raises the mark. What it finds is held before anything more is handed over.
// Redis is read first: what stood there then had been committed before.
func (s *Scheduler) guard(ctx context.Context, sending bool) error {
	said, err := s.Queue.Marks().Ledger(ctx)
	if err != nil {
		return err
	}
	seen := behind.Parse(said)
	has, err := behind.Read(ctx, s.Pool.Engine())
	if err != nil {
		return err
	}
	if seen.Ahead(has) {
		if err := s.holdAll(ctx, behind.Loss{Has: has, Seen: seen}); err != nil {
			return err
		}
		return s.raise(ctx, seen)
	}
	if !sending && seen.N > 0 && s.Clock().Sub(s.feeder.raised).Abs() < idle {
		return nil
	}
	return s.raise(ctx, behind.Mark{})
}

// raise commits the next mark and then tells Redis.
func (s *Scheduler) raise(ctx context.Context, above behind.Mark) error {
	var mark behind.Mark
	err := s.Pool.InEngine(ctx, func(tx pgx.Tx) (err error) {
		mark, err = behind.Raise(ctx, tx, above)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.Queue.Marks().SetLedger(ctx, mark.String()); err != nil {
		return err
	}
	s.feeder.raised = s.Clock()
	return nil
}

// countBehind is for /readyz and the metrics.
func (s *Scheduler) countBehind(ctx context.Context) error {
	held, err := behind.Held(ctx, s.Pool.Engine())
	s.behind.Store(held)
	return err
}

const sqlEveryWorkspace = `
select workspace_id
from workspace
order by workspace_id`

// holdAll stops every workspace and puts what may have been sent in doubt. The
// mark is raised above the lost one only afterwards: until then every claim is
// refused, and a leader that dies in between starts over.
func (s *Scheduler) holdAll(ctx context.Context, l behind.Loss) error {
	s.Log.Error("the database has lost what it had committed: everything is held until bareed admin release",
		"ends", l.Has.At, "had_come_to", l.Seen.At, "marks_lost", l.Seen.N-l.Has.N)
	all, err := pg.All(ctx, s.Pool.Engine(), "list the workspaces", pgx.RowTo[id.Workspace], sqlEveryWorkspace)
	if err != nil {
		return err
	}
	for _, ws := range all {
		err := s.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
			_, err := behind.Hold(ctx, tx, ws, l)
			return err
		})
		if err != nil {
			return fmt.Errorf("hold a workspace: %w", err)
		}
	}
	runs, err := behind.Runs(ctx, s.Pool.Engine())
	if err != nil {
		return err
	}
	for _, r := range runs {
		if err := s.doubt(ctx, r, l.Seen.At); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scheduler) doubt(ctx context.Context, r behind.Run, end time.Time) error {
	reached, err := s.Queue.Marks().Fed(ctx, r.ID)
	if err != nil || reached == 0 {
		return err
	}
	for total := 0; ; {
		n := 0
		err := s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
			n, err = behind.Doubt(ctx, tx, r, reached, end)
			return err
		})
		if err != nil {
			return err
		}
		if total += n; n == 0 {
			if total > 0 {
				s.Log.Warn("messages may have been sent that the database does not know of; they are unknown", "run", r.ID, "messages", total)
			}
			return nil
		}
	}
}
