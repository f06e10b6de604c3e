package worker

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/queue"
)

// checkCampaign works out a dry run, chunk by chunk; its rows are its cursor,
// so a task that takes over goes on where the one before was killed.
func (w *Worker) checkCampaign(ctx context.Context, t queue.CheckCampaign) error {
	mine := false
	err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
		mine, err = campaigns.LeaseCheck(ctx, tx, t.Workspace, t.Check)
		return err
	})
	if err != nil || !mine {
		return err
	}
	for done := false; !done; {
		err = w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
			done, err = campaigns.CheckChunk(ctx, tx, w.Vault, t.Workspace, t.Check)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
