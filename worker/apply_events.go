package worker

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
	"bareed/queue"
)

// jointBytes is how much sealed webhook is applied in one transaction, about two
// hundred statuses: beyond that company saves nothing, and its row locks keep
// senders waiting.
const jointBytes = 128 << 10

// sqlEventSizes does not read the bodies; their length stands beside them.
const sqlEventSizes = `
select id, octet_length(body)
from event
where workspace_id = $1
  and id = any ($2)
  and state = 'new'
order by received_at, id`

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

// sqlEventPutOff leaves the event its tries: what kept it from being applied says
// nothing of it.
const sqlEventPutOff = `
update event
set feed_after = bareed_now() + interval '5 seconds'
where workspace_id = $1
  and id = $2
  and state = 'new'`

// applyEvents applies what stored webhook events say of messages and people:
// some together when nothing is wrong with any, else each in a transaction of its
// own, so that one that cannot be applied does not hold up the rest.
func (w *Worker) applyEvents(ctx context.Context, t queue.ApplyEvents) error {
	box, err := w.Vault.Box(ctx, t.Workspace)
	if err != nil {
		return err
	}
	companies, err := w.eventCompanies(ctx, t.Workspace, t.Events)
	if err != nil {
		return err
	}
	for _, events := range companies {
		if len(events) > 1 && w.applyTogether(ctx, box, t.Workspace, events) == nil {
			continue
		}
		for _, ev := range events {
			if err := w.applyAlone(ctx, box, t.Workspace, ev); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyAlone applies one event or puts it off. An error means that not even
// that was possible.
func (w *Worker) applyAlone(ctx context.Context, box *seal.Box, ws id.Workspace, ev id.Event) error {
	err := w.applyTogether(ctx, box, ws, []id.Event{ev})
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // the task's time is over, which says nothing of the event
		return ctx.Err()
	}
	sql := sqlEventTroubled
	if pg.Momentary(err) {
		sql = sqlEventPutOff
		w.Log.Warn("an event is put off", "event", ev, "error", err)
	} else {
		w.Log.Error("apply an event", "event", ev, "error", err)
	}
	err = w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, ws, ev)
		return err
	})
	if err != nil {
		return fmt.Errorf("put an event off: %w", err)
	}
	return nil
}

// eventCompanies divides new events, oldest first, into lists small enough to
// be applied together.
func (w *Worker) eventCompanies(ctx context.Context, ws id.Workspace, events []id.Event) (companies [][]id.Event, err error) {
	err = w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
		companies = nil
		rows, err := tx.Query(ctx, sqlEventSizes, ws, events)
		if err != nil {
			return err
		}
		var ev id.Event
		var size, sum int
		_, err = pgx.ForEachRow(rows, []any{&ev, &size}, func() error {
			if sum += size; len(companies) == 0 || sum > jointBytes {
				companies, sum = append(companies, nil), size
			}
			last := len(companies) - 1
			companies[last] = append(companies[last], ev)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("size events: %w", err)
	}
	return companies, nil
}
