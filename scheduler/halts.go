package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/messages/halts"
)

// halts stops a portfolio that Meta judged in the other workspaces that share it:
// the one that was told stopped it at once.
func (s *Scheduler) halts(ctx context.Context) error {
	list, err := halts.ListSharing(ctx, s.Pool.Engine())
	if err != nil {
		return err
	}
	for _, w := range list {
		err := s.Pool.InWorkspace(ctx, w.Workspace, func(tx pgx.Tx) error { return halts.Look(ctx, tx, w.Workspace, w.Portfolio) })
		if err != nil {
			return err
		}
	}
	return nil
}
