package worker

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/queue"
)

// sqlEventTroubled puts an event off for longer each time and gives it up
// after six tries; it stays there for a person.
const sqlEventTroubled = `
update event
set tries = tries + 1,
    state = case when tries >= 5 then 'failed' else 'new' end,
    feed_after = bareed_now() + interval '5 seconds' * (tries + 1),
    problem = 'apply'
where workspace_id = $1
  and id = $2
  and state = 'new'`

// applyEvents applies what stored webhook events say of messages and people:
// all together when nothing is wrong with any, else each in a transaction of its
// own, so that one that cannot be applied does not hold up the rest.
func (w *Worker) applyEvents(ctx context.Context, t queue.ApplyEvents) error {
	box, err := w.Vault.Box(ctx, t.Workspace)
	if err != nil {
		return err
	}
	if len(t.Events) > 1 {
		if err := w.applyTogether(ctx, box, t.Workspace, t.Events); err == nil {
			return nil
		}
	}
	for _, ev := range t.Events {
		err := w.applyTogether(ctx, box, t.Workspace, []id.Event{ev})
		if err == nil {
			continue
		}
		w.Log.Error("apply an event", "event", ev, "error", err)
		err = w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sqlEventTroubled, t.Workspace, ev)
			return err
		})
		if err != nil {
			return fmt.Errorf("put an event off: %w", err)
		}
	}
	return nil
}
