package worker

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing/budget"
	"bareed/campaigns/plan"
	"bareed/campaigns/waves"
	"bareed/queue"
)

// planRun writes a run's messages, chunk by chunk, each in one transaction with
// the cursor, so that a kill loses nothing but the chunk under way. The first
// chunk is enough to begin sending. Twins are kept apart by the run's lease, and
// when that fails by the cursor.
func (w *Worker) planRun(ctx context.Context, t queue.PlanRun) error {
	mine := false
	err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
		mine, err = plan.Lease(ctx, tx, t.Workspace, t.Run)
		return err
	})
	if err != nil || !mine {
		return err
	}
	if number, template, ok := w.ofRun(ctx, t); ok {
		w.preflight(ctx, t.Workspace, number, template)
	}
	return atFault(ctx, func() error {
		err := w.planChunks(ctx, t)
		switch {
		case errors.Is(err, plan.ErrTaken):
			return nil
		case err != nil && passing(ctx, err):
			return errors.Join(err, w.releasePlan(ctx, t))
		}
		return err
	}, func() error { return w.planFailed(ctx, t) })
}

func (w *Worker) planChunks(ctx context.Context, t queue.PlanRun) error {
	box, err := w.Vault.Box(ctx, t.Workspace)
	if err != nil {
		return err
	}
	var at plan.Progress
	for !at.Done {
		err = w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
			at, err = plan.Next(ctx, tx, w.Vault, box, t.Workspace, t.Run, w.Blocked...)
			return err
		})
		if err != nil {
			return err
		}
		err = w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) error {
			if err := waves.Due(ctx, tx, t.Workspace, t.Run, w.Rules); err != nil {
				return err
			}
			return budget.Begin(ctx, tx, t.Workspace, t.Run)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// planFailed counts what is the run's own fault, so that a person sees a run
// that cannot be planned.
func (w *Worker) planFailed(ctx context.Context, t queue.PlanRun) error {
	return w.afterwards(ctx, t.Workspace, 10*time.Second, func(ctx context.Context, tx pgx.Tx) error {
		return plan.Failed(ctx, tx, t.Workspace, t.Run)
	})
}

// releasePlan lets the next task begin at once instead of when the lease ends,
// also while this process shuts down.
func (w *Worker) releasePlan(ctx context.Context, t queue.PlanRun) error {
	return w.afterwards(ctx, t.Workspace, 2*time.Second, func(ctx context.Context, tx pgx.Tx) error {
		return plan.Release(ctx, tx, t.Workspace, t.Run)
	})
}
