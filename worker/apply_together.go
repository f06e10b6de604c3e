package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/contacts/identity"
	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/numbers"
	"bareed/whatsapp"
)

const sqlTakeEvents = `
select id, body, received_at
from event
where workspace_id = $1
  and id = any ($2)
  and state = 'new'
order by received_at, id
for update skip locked`

// sqlEventsApplied names received_at so that one partition is looked at, not
// each day's. A status that names no message yet may have overtaken the record
// of it, so its event is looked at once more, ten seconds later; what was
// applied already changes nothing then.
const sqlEventsApplied = `
update event e
set state = case when $4 > 0 and e.tries = 0 then 'new' else 'applied' end,
    tries = e.tries + 1,
    feed_after = bareed_now() + interval '10 seconds',
    unmatched = $4
from unnest($2::uuid[], $3::timestamptz[]) as x(id, received_at)
where e.workspace_id = $1
  and e.id = x.id
  and e.received_at = x.received_at`

// errUnmatched is why several events are applied one by one after all: some
// status names no message yet, and only its event is to be looked at again.
var errUnmatched = errors.New("a status names no message yet")

// applyTogether applies new events of one workspace in one transaction, all
// statuses of a number in one statement: a campaign brings several events a
// second, and each transaction costs as much as fifty statuses. When anything
// is wrong with one of them nothing is done, and the caller takes them singly.
// Events that are applied already, or being applied, are passed over.
func (w *Worker) applyTogether(ctx context.Context, box *seal.Box, ws id.Workspace, events []id.Event) error {
	return w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlTakeEvents, ws, events)
		if err != nil {
			return fmt.Errorf("take events: %w", err)
		}
		var all gathered
		var ev id.Event
		var sealed []byte
		var received time.Time
		_, err = pgx.ForEachRow(rows, []any{&ev, &sealed, &received}, func() error {
			return all.add(box, ev, sealed, received)
		})
		if err != nil || len(all.events) == 0 {
			return err
		}
		unmatched := 0
		for _, phone := range all.order {
			n, err := w.applyGathered(ctx, tx, ws, phone, all.of[phone], all.received[0])
			if err != nil {
				return err
			}
			unmatched += n
		}
		if unmatched > 0 && len(all.events) > 1 {
			return errUnmatched
		}
		if _, err := tx.Exec(ctx, sqlEventsApplied, ws, all.events, all.received, unmatched); err != nil {
			return fmt.Errorf("finish events: %w", err)
		}
		return nil
	})
}

// gathered is what several events say, number by number in the order of coming.
type gathered struct {
	events   []id.Event
	received []time.Time
	order    []string
	of       map[string]*ofNumber
}

type ofNumber struct {
	statuses []whatsapp.Status
	pairs    []identity.Pair // each once, though every status of a person names it
	named    map[identity.Pair]bool
}

func (g *gathered) add(box *seal.Box, ev id.Event, sealed []byte, received time.Time) error {
	body, err := box.Open(sealed, "event.body/"+ev.String())
	if err != nil {
		return fmt.Errorf("open an event: %w", err)
	}
	stored, err := whatsapp.DecodeStored(body)
	if err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	g.events, g.received = append(g.events, ev), append(g.received, received)
	for _, m := range stored.Messages() {
		have := g.of[m.PhoneNumberID]
		if have == nil {
			if g.of == nil {
				g.of = map[string]*ofNumber{}
			}
			have = &ofNumber{named: map[identity.Pair]bool{}}
			g.of[m.PhoneNumberID] = have
			g.order = append(g.order, m.PhoneNumberID)
		}
		have.statuses = append(have.statuses, m.Statuses...)
		for _, p := range pairsOf(m) {
			if !have.named[p] {
				have.named[p] = true
				have.pairs = append(have.pairs, p)
			}
		}
	}
	return nil
}

// applyGathered applies what was said about one number and learns whose ids were
// named. It returns how many statuses name no message of ours. A number with
// nothing to apply is skipped: its id need not be known.
func (w *Worker) applyGathered(ctx context.Context, tx pgx.Tx, ws id.Workspace, phone string, m *ofNumber, received time.Time) (unmatched int, err error) {
	if len(m.statuses)+len(m.pairs) == 0 {
		return 0, nil
	}
	number, err := numbers.FindByMetaID(ctx, tx, ws, phone)
	if err != nil {
		return 0, err
	}
	if err := w.learn(ctx, tx, ws, number, m.pairs); err != nil {
		return 0, err
	}
	if len(m.statuses) == 0 {
		return 0, nil
	}
	done, err := messages.ApplyStatuses(ctx, tx, w.Vault, ws, number, m.statuses, received)
	if err != nil {
		return 0, err
	}
	if done.Forged+done.Foreign > 0 {
		w.Log.Warn("callback data that is not this number's", "workspace", ws, "number", number,
			"forged", done.Forged, "foreign", done.Foreign)
	}
	return done.Unmatched, nil
}
