package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/billing/budget"
	"bareed/campaigns/caps"
)

// budgets lets the runs that a budget holds go as far as it pays. One workspace's
// trouble does not keep the next from its look.
func (s *Scheduler) budgets(ctx context.Context) error {
	list, err := budget.Workspaces(ctx, s.Pool.Engine())
	if err != nil {
		return err
	}
	for _, ws := range list {
		err := s.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error { return budget.Tick(ctx, tx, ws) })
		if err != nil {
			s.Log.Error("hold runs to their budgets", "workspace", ws, "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// turns forgets the turns of frequency rules that nobody looks back to.
func (s *Scheduler) turns(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		err := s.Pool.InEngine(ctx, func(tx pgx.Tx) (err error) {
			more, err = caps.Sweep(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
