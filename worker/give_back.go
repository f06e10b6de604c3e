package worker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

// returned is an unclaimed message that is to be offered again after a while.
type returned struct {
	message id.Message
	after   time.Duration
}

func (w *Worker) giveBack(ctx context.Context, ws id.Workspace, m id.Message, after time.Duration) error {
	_, err := w.returns.ask(ctx, ws, returned{message: m, after: after})
	return err
}

// giveBackAll gives messages of one workspace back in one transaction. Their
// times are rounded up to steps, so that few statements do.
func (w *Worker) giveBackAll(ctx context.Context, ws id.Workspace, all []returned) ([]struct{}, error) {
	const step = 50 * time.Millisecond
	byTime := map[time.Duration][]id.Message{}
	for _, r := range all {
		after := (r.after + step - 1).Truncate(step)
		byTime[after] = append(byTime[after], r.message)
	}
	err := w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
		for after, list := range byTime {
			if err := messages.GiveBack(ctx, tx, ws, after, list...); err != nil {
				return err
			}
		}
		return nil
	})
	return make([]struct{}, len(all)), err
}
