package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/numbers"
	"bareed/queue"
	"bareed/whatsapp"
)

const sqlTakeEvent = `
select body, received_at
from event
where workspace_id = $1
  and id = $2
  and state = 'new'
for update skip locked`

// sqlEventApplied names received_at so that one partition is looked at, not
// each day's. A status that names no message yet may have overtaken the record
// of it, so its event is looked at once more, ten seconds later; what was
// applied already changes nothing then.
const sqlEventApplied = `
update event
set state = case when $4 > 0 and tries = 0 then 'new' else 'applied' end,
    tries = tries + 1,
    feed_after = bareed_now() + interval '10 seconds',
    unmatched = $4
where workspace_id = $1
  and id = $2
  and received_at = $3`

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
	applied, err := w.applyTogether(ctx, box, t.Workspace, t.Events)
	if err != nil {
		w.Log.Debug("apply events one by one", "error", err)
	}
	if applied == len(t.Events) {
		return nil
	}
	for _, ev := range t.Events {
		err := w.applyEvent(ctx, box, t.Workspace, ev)
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

func (w *Worker) applyEvent(ctx context.Context, box *seal.Box, ws id.Workspace, ev id.Event) error {
	return w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
		var sealed []byte
		var received time.Time
		err := tx.QueryRow(ctx, sqlTakeEvent, ws, ev).Scan(&sealed, &received)
		if err == pgx.ErrNoRows {
			return nil // applied already, or being applied
		}
		if err != nil {
			return fmt.Errorf("take an event: %w", err)
		}
		body, err := box.Open(sealed, "event.body/"+ev.String())
		if err != nil {
			return fmt.Errorf("open an event: %w", err)
		}
		stored, err := whatsapp.DecodeStored(body)
		if err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		unmatched, err := w.applyStored(ctx, tx, ws, stored, received)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlEventApplied, ws, ev, received, unmatched); err != nil {
			return fmt.Errorf("finish an event: %w", err)
		}
		return nil
	})
}

// applyStored applies the statuses of one event, number by number, and learns
// whose ids it names.
func (w *Worker) applyStored(ctx context.Context, tx pgx.Tx, ws id.Workspace, stored whatsapp.Stored, received time.Time) (unmatched int, err error) {
	for _, m := range stored.Messages() {
		pairs := pairsOf(m)
		if len(m.Statuses) == 0 && len(pairs) == 0 {
			continue
		}
		number, err := numbers.FindByMetaID(ctx, tx, ws, m.PhoneNumberID)
		if err != nil {
			return 0, err
		}
		if err := w.learn(ctx, tx, ws, number, pairs); err != nil {
			return 0, err
		}
		if len(m.Statuses) == 0 {
			continue
		}
		done, err := messages.ApplyStatuses(ctx, tx, w.Vault, ws, number, m.Statuses, received)
		if err != nil {
			return 0, err
		}
		unmatched += done.Unmatched
		if done.Forged+done.Foreign > 0 {
			w.Log.Warn("callback data that is not this number's", "workspace", ws, "number", number,
				"forged", done.Forged, "foreign", done.Foreign)
		}
	}
	return unmatched, nil
}
