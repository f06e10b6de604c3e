package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/billing/budget"
	"bareed/campaigns/waves"
	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlRulesRuns = `
select workspace_id, id, false
from run
where state = 'running'
  and kind = 'campaign'
order by id`

// breaker holds what runs against its rules and opens the waves whose gate is
// passed. One run's trouble does not keep the next from its look, and no run takes
// more than a twentieth of the time.
func (s *Scheduler) breaker(ctx context.Context) error {
	runs, err := pg.All(ctx, s.Pool.Engine(), "find running runs", pgx.RowToStructByPos[openRun], sqlRulesRuns)
	if err != nil {
		return err
	}
	s.measured.trim(s.Clock())
	for _, r := range s.looked.of(runs) {
		s.looked.begun = r.Run
		err := s.measured.draw(s.Clock(), r.Run, false, func() error {
			return s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) error {
				return waves.Tick(ctx, tx, r.Workspace, r.Run, s.Limits)
			})
		})
		if err != nil {
			s.Log.Error("hold a run against its rules", "run", r.Run, "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// due moves a run whose time has come.
func (s *Scheduler) due(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if err := waves.Due(ctx, tx, ws, run, s.Limits); err != nil {
		return err
	}
	return budget.Begin(ctx, tx, ws, run)
}
