package scheduler

import (
	"bytes"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

// watchQueue notices a Redis that was emptied or replaced and offers everything
// again. The mark is set last, so that a leader that dies in between starts over.
func (s *Scheduler) watchQueue(ctx context.Context) error {
	epoch, err := s.Queue.Epoch(ctx)
	if err != nil {
		return err
	}
	if epoch != "" && epoch == s.feeder.epoch {
		return nil
	}
	if err := s.Queue.Reset(ctx); err != nil {
		return err
	}
	if err := s.refeedAll(ctx); err != nil {
		return err
	}
	s.offered.clear()
	s.release.clear()
	s.feeder.again = recovery{}
	s.feeder.epoch, err = s.Queue.SetEpoch(ctx)
	return err
}

// recovery is how far refeedAll has come: it may take more than one job's time.
type recovery struct {
	done id.Run // this run and those before it were tried
	fine bool   // with some it went well
}

// refeedAll offers again what every open run handed over. A run that cannot be
// does not hold up the others: what it lost comes back a minute later
// (messages.Refeed). When none can be, the database is in trouble and all of it
// is done anew. When the time ends, the next call goes on behind the last run.
func (s *Scheduler) refeedAll(ctx context.Context) error {
	runs, err := s.openRuns(ctx)
	if err != nil {
		return err
	}
	again := &s.feeder.again
	runs = slices.DeleteFunc(runs, func(r openRun) bool { return r.Settled || bytes.Compare(r.Run[:], again.done[:]) <= 0 })
	var problem error
	for _, r := range runs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := s.Pool.InLedgerBriefly(ctx, r.Workspace, func(tx pgx.Tx) error {
			_, err := messages.RefeedAll(ctx, tx, r.Workspace, r.Run)
			return err
		})
		if err != nil {
			s.Log.Error("feed a run again", "run", r.Run, "error", err)
			problem = err
		}
		again.done, again.fine = r.Run, again.fine || err == nil
	}
	if problem != nil && !again.fine {
		*again = recovery{}
		return problem
	}
	return nil
}
