package worker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

func (w *Worker) giveBack(ctx context.Context, ws id.Workspace, m id.Message, after time.Duration) error {
	_, err := w.returns.ask(ctx, ws, messages.Returned{Message: m, After: after})
	return err
}

// giveBackAll gives messages of one workspace back in one statement.
func (w *Worker) giveBackAll(ctx context.Context, ws id.Workspace, all []messages.Returned) ([]struct{}, error) {
	err := w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error { return messages.GiveBack(ctx, tx, ws, all) })
	return make([]struct{}, len(all)), err
}
