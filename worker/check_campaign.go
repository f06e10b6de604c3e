package worker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/check"
	"bareed/campaigns/waves"
	"bareed/queue"
)

// checkCampaign works out a dry run, chunk by chunk; its rows are its cursor,
// so a task that takes over goes on where the one before was killed.
func (w *Worker) checkCampaign(ctx context.Context, t queue.CheckCampaign) error {
	mine := false
	err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
		mine, err = check.Lease(ctx, tx, t.Workspace, t.Check)
		return err
	})
	if err != nil || !mine {
		return err
	}
	if number, template, ok := w.ofCheck(ctx, t); ok {
		w.preflight(ctx, t.Workspace, number, template)
	}
	return atFault(ctx, func() error { return w.checkChunks(ctx, t) }, func() error { return w.checkFailed(ctx, t) })
}

func (w *Worker) checkChunks(ctx context.Context, t queue.CheckCampaign) error {
	for done := false; !done; {
		err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
			if done, err = check.Chunk(ctx, tx, w.Vault, t.Workspace, t.Check, w.Blocked...); err != nil || !done {
				return err
			}
			return waves.Foresee(ctx, tx, t.Workspace, t.Check, w.Rules)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkFailed counts what is the check's own fault, so that nobody waits for one
// that cannot be worked out.
func (w *Worker) checkFailed(ctx context.Context, t queue.CheckCampaign) error {
	return w.afterwards(ctx, t.Workspace, 10*time.Second, func(ctx context.Context, tx pgx.Tx) error {
		return check.Failed(ctx, tx, t.Workspace, t.Check)
	})
}
