package scheduler

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// openRun is a run in which something can still happen by itself, or one that
// is over and got a receipt since its last picture. One that is only scheduled
// has no messages: a thousand of them cost nothing.
type openRun struct {
	Workspace id.Workspace
	Run       id.Run
	Settled   bool
}

const sqlOpenRuns = `
select workspace_id, id, settled_at is not null
from run
where settled_at is null and (state <> 'planning' or planned > 0)
   or touched_at is not null
order by id`

func (s *Scheduler) openRuns(ctx context.Context) ([]openRun, error) {
	return pg.All(ctx, s.Pool.Engine(), "find open runs", pgx.RowToStructByPos[openRun], sqlOpenRuns)
}

// reconcile repairs and completes runs: claims past their deadline, lost tasks,
// answers that never came, the live picture, the end. One run's trouble does
// not keep the next from its repair.
func (s *Scheduler) reconcile(ctx context.Context) error {
	runs, err := s.openRuns(ctx)
	if err != nil {
		return err
	}
	s.pictures.trim(s.Clock())
	for _, r := range s.round.of(runs) {
		s.round.begun = r.Run
		if err := s.reconcileRun(ctx, r); err != nil {
			s.Log.Error("reconcile a run", "run", r.Run, "error", err)
		}
		if ctx.Err() != nil { // the next time goes on behind this one
			return ctx.Err()
		}
	}
	return nil
}

// round remembers which run was begun last, so that one that takes all of a
// job's time is the last of the next time and not the first again.
type round struct{ begun id.Run }

// of turns runs, ordered by their ids, so that they begin behind the last.
func (r *round) of(runs []openRun) []openRun {
	first := 0
	for first < len(runs) && slices.Compare(runs[first].Run[:], r.begun[:]) <= 0 {
		first++
	}
	return slices.Concat(runs[first:], runs[:first])
}

func (s *Scheduler) reconcileRun(ctx context.Context, r openRun) error {
	if r.Settled {
		return s.redraw(ctx, r)
	}
	err := s.Pool.InLedger(ctx, r.Workspace, func(tx pgx.Tx) error {
		if _, err := messages.ExpireClaims(ctx, tx, r.Workspace, r.Run); err != nil {
			return err
		}
		if _, err := messages.GiveUpUnknown(ctx, tx, r.Workspace, r.Run, s.Unknown.Filled().Horizon); err != nil {
			return err
		}
		_, err := messages.Refeed(ctx, tx, r.Workspace, r.Run)
		return err
	})
	if err != nil {
		return err
	}
	var done bool
	err = s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
		done, err = campaigns.Finish(ctx, tx, r.Workspace, r.Run)
		return err
	})
	if err != nil {
		return err
	}
	return s.pictures.draw(s.Clock(), r.Run, done, func() error {
		return s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) error {
			return campaigns.Snapshot(ctx, tx, r.Workspace, r.Run)
		})
	})
}

// redraw renews the picture of a run that is over, until its mark has been old
// for some seconds. The mark goes first, in the same transaction: a receipt that
// comes meanwhile sets it again.
func (s *Scheduler) redraw(ctx context.Context, r openRun) error {
	return s.pictures.draw(s.Clock(), r.Run, false, func() error {
		return s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) error {
			if err := messages.Untouch(ctx, tx, r.Workspace, r.Run); err != nil {
				return err
			}
			return campaigns.Snapshot(ctx, tx, r.Workspace, r.Run)
		})
	})
}

// pictures paces what counts a run, such as its live picture: at most one a second
// of each run, and never more than a twentieth of the time on counting.
type pictures struct{ next map[id.Run]time.Time }

// trim forgets runs whose picture could have been drawn for a minute and was not:
// they are over.
func (p *pictures) trim(now time.Time) {
	for run, next := range p.next {
		if now.Sub(next) > time.Minute {
			delete(p.next, run)
		}
	}
}

func newPictures() pictures { return pictures{next: map[id.Run]time.Time{}} }

func (p *pictures) draw(now time.Time, run id.Run, last bool, count func() error) error {
	if now.Before(p.next[run]) && !last {
		return nil
	}
	began := time.Now()
	err := count()
	p.next[run] = now.Add(max(900*time.Millisecond, 20*time.Since(began)))
	if last {
		delete(p.next, run)
	}
	return err
}
