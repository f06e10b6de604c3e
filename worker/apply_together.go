package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/contacts/identity"
	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/messages/consequences"
	"bareed/numbers"
	"bareed/whatsapp"
)

// applyTime bounds one attempt, so that after a joint one that takes too long
// there is time left in the task for trying the events singly.
const applyTime = 15 * time.Second

// learnMost is how many people one transaction learns of: it holds two locks
// for each, and the server's table of locks is shared by everybody.
const learnMost = 200

const sqlTakeEvents = `
select id
from event
where workspace_id = $1
  and id = any ($2)
  and received_at between $3 and $4
  and state = 'new'
order by received_at, id
for update skip locked`

// sqlEventsApplied names received_at so that one partition is looked at, not
// each day's. A status that names no message yet may have overtaken the record
// of it, so its event is looked at once more, ten seconds later; what was
// applied already changes nothing then.
const sqlEventsApplied = `
update event e
set state = case when x.unmatched > 0 and e.tries = 0 then 'new' else 'applied' end,
    tries = e.tries + 1,
    feed_after = bareed_now() + interval '10 seconds',
    unmatched = x.unmatched
from unnest($2::uuid[], $3::timestamptz[], $4::int[]) as x(id, received_at, unmatched)
where e.workspace_id = $1
  and e.id = x.id
  and e.received_at = x.received_at`

var errPanic = errors.New("applying panicked")

// applyTogether applies new events of one workspace in one transaction, all
// their statuses in one statement: a campaign brings several events a second,
// and each transaction costs as much as fifty statuses. When anything is wrong
// with one of them nothing is done, and the caller takes them singly. Events
// that are applied already, or being applied, are passed over.
//
// Who is named in two ways is learned before, in transactions of its own: that
// is true whatever becomes of the statuses, and nobody waits for its locks.
func (w *Worker) applyTogether(ctx context.Context, box *seal.Box, ws id.Workspace, events []id.Event) (err error) {
	defer func() {
		if recover() != nil { // what it panicked with may hold anything
			w.Log.Error("applying events panicked", "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, applyTime)
	defer cancel()
	all, err := w.gather(ctx, box, ws, events)
	if err != nil || len(all.events) == 0 {
		return err
	}
	for _, phone := range all.order {
		if err := w.place(ctx, ws, phone, all.of[phone]); err != nil {
			return err
		}
	}
	if err := w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error { return w.applyGathered(ctx, tx, ws, all) }); err != nil {
		return err
	}
	w.alarm(ws, all.twice)
	w.heardCodes(ctx, all.ended)
	return nil
}

// alarm tells, once for each message, of what must not happen: Meta accepted two
// requests for one message of ours. The campaign's certificate counts it, and
// the workspace's home page shows it.
func (w *Worker) alarm(ws id.Workspace, twice []id.Message) {
	for _, m := range twice {
		w.twice.Add(1)
		w.Log.Error("Meta accepted a message twice", "workspace", ws, "run", m.Run, "ordinal", m.Ordinal)
	}
}

// AcceptedTwice counts the messages of which this process noticed that.
func (w *Worker) AcceptedTwice() int64 { return w.twice.Load() }

// gathered is what several events say, number by number.
type gathered struct {
	events   []id.Event
	received []time.Time
	order    []string // of.keys, as they came
	of       map[string]*ofNumber
	twice    []id.Message // found when they were applied
	ended    []consequences.Failure
}

type ofNumber struct {
	number   id.Number
	statuses []messages.Told
	pairs    []identity.Pair // each once, though every status of a person names it
	named    map[identity.Pair]bool
}

const sqlReadEvents = `
select id, body, received_at
from event
where workspace_id = $1
  and id = any ($2)
  and state = 'new'
order by received_at, id`

func (w *Worker) gather(ctx context.Context, box *seal.Box, ws id.Workspace, events []id.Event) (*gathered, error) {
	all := &gathered{of: map[string]*ofNumber{}}
	err := w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
		*all = gathered{of: map[string]*ofNumber{}}
		rows, err := tx.Query(ctx, sqlReadEvents, ws, events)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		var ev id.Event
		var sealed []byte
		var received time.Time
		_, err = pgx.ForEachRow(rows, []any{&ev, &sealed, &received}, func() error {
			return all.add(box, ev, sealed, received)
		})
		return err
	})
	return all, err
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
	at := len(g.events)
	g.events, g.received = append(g.events, ev), append(g.received, received)
	for _, m := range stored.Messages() {
		have := g.of[m.PhoneNumberID]
		if have == nil {
			have = &ofNumber{named: map[identity.Pair]bool{}}
			g.of[m.PhoneNumberID] = have
			g.order = append(g.order, m.PhoneNumberID)
		}
		for _, st := range m.Statuses {
			have.statuses = append(have.statuses, messages.Told{Status: st, Event: at, Received: received})
		}
		for _, p := range pairsOf(m) {
			if !have.named[p] {
				have.named[p] = true
				have.pairs = append(have.pairs, p)
			}
		}
	}
	return nil
}

// place finds whose number it is, and learns whose ids were named. A number with
// nothing to apply is skipped: its id need not be known.
func (w *Worker) place(ctx context.Context, ws id.Workspace, phone string, m *ofNumber) error {
	if len(m.statuses)+len(m.pairs) == 0 {
		return nil
	}
	err := w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) (err error) {
		m.number, err = numbers.FindByMetaID(ctx, tx, ws, phone)
		return err
	})
	if err != nil {
		return err
	}
	for pairs := range slices.Chunk(m.pairs, learnMost) {
		err := w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error { return w.learn(ctx, tx, ws, m.number, pairs) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) applyGathered(ctx context.Context, tx pgx.Tx, ws id.Workspace, all *gathered) error {
	mine, err := takeEvents(ctx, tx, ws, all)
	if err != nil || len(mine) == 0 {
		return err
	}
	var told []messages.Told
	for _, m := range all.of {
		for _, t := range m.statuses {
			if mine[all.events[t.Event]] {
				t.Number = m.number
				told = append(told, t)
			}
		}
	}
	done, err := messages.ApplyStatuses(ctx, tx, w.Vault, ws, told)
	if err != nil {
		return err
	}
	all.twice = done.Twice
	if all.ended, err = w.follow(ctx, tx, ws, done); err != nil {
		return err
	}
	if done.Forged+done.Foreign > 0 {
		w.Log.Warn("callback data that is not this number's", "workspace", ws, "forged", done.Forged, "foreign", done.Foreign)
	}
	var events []id.Event
	var received []time.Time
	var unmatched []int32
	for i, ev := range all.events {
		if mine[ev] {
			events, received = append(events, ev), append(received, all.received[i])
			unmatched = append(unmatched, int32(done.Unmatched[i]))
		}
	}
	if _, err := tx.Exec(ctx, sqlEventsApplied, ws, events, received, unmatched); err != nil {
		return fmt.Errorf("finish events: %w", err)
	}
	return nil
}

// takeEvents locks those of the events that nobody else is applying.
func takeEvents(ctx context.Context, tx pgx.Tx, ws id.Workspace, all *gathered) (map[id.Event]bool, error) {
	rows, err := tx.Query(ctx, sqlTakeEvents, ws, all.events, all.received[0], all.received[len(all.received)-1])
	if err != nil {
		return nil, fmt.Errorf("take events: %w", err)
	}
	mine := map[id.Event]bool{}
	var ev id.Event
	if _, err = pgx.ForEachRow(rows, []any{&ev}, func() error { mine[ev] = true; return nil }); err != nil {
		return nil, fmt.Errorf("take events: %w", err)
	}
	return mine, nil
}
