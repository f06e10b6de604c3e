package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/billing/charges"
	"bareed/billing/estimate"
)

// charges counts what runs are charged for: those on their way every few
// seconds, the larger the less often, and those that are over after each late
// receipt. A run that recurred by itself gets its estimate first.
func (s *Scheduler) charges(ctx context.Context) error {
	due, err := charges.Due(ctx, s.Pool.Engine())
	if err != nil {
		return err
	}
	for _, w := range due {
		err := s.Pool.InWorkspace(ctx, w.Workspace, func(tx pgx.Tx) error {
			if err := estimate.Fix(ctx, tx, w.Workspace, w.Run); err != nil {
				return err
			}
			return charges.Count(ctx, tx, w.Workspace, w.Run)
		})
		if err != nil {
			s.Log.Error("count what a run is charged for", "run", w.Run, "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
