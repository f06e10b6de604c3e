package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/queue"
)

// tick is how often the feed looks.
const tick = 200 * time.Millisecond

// feeder is what the leader remembers between ticks. All of it may be lost.
type feeder struct {
	epoch string // the queue's, as it was last set
	flows map[id.Number]*flow
	paces map[id.Run]*pace
	turn  int // which run goes first, so that none always does
}

func newFeeder() feeder {
	return feeder{flows: map[id.Number]*flow{}, paces: map[id.Run]*pace{}}
}

// feedRun is a running run as the engine finds it.
type feedRun struct {
	Workspace id.Workspace
	Run       id.Run
	Number    id.Number
	Portfolio id.Portfolio
	Kind      string
	PerMinute *int
	PerSecond int
}

const sqlFeedRuns = `
select r.workspace_id, r.id, r.number_id, r.portfolio_id, r.kind, r.per_minute,
    case when n.is_on_biz_app then least(n.per_second, 20) else n.per_second end
from run r
join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
where r.state = 'running'
  and r.starts_at <= bareed_now()
order by r.number_id, r.id`

// feed hands the next messages of every running run to the queue, number by
// number, as many as each may send until the next look.
func (s *Scheduler) feed(ctx context.Context) error {
	if err := s.watchQueue(ctx); err != nil {
		return err
	}
	rows, err := s.Pool.Engine().Query(ctx, sqlFeedRuns)
	if err != nil {
		return fmt.Errorf("find running runs: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[feedRun])
	if err != nil {
		return fmt.Errorf("find running runs: %w", err)
	}
	s.feeder.forget(runs)
	for first := 0; first < len(runs); {
		last := first
		for last < len(runs) && runs[last].Number == runs[first].Number {
			last++
		}
		s.feedNumber(ctx, runs[first:last])
		first = last
	}
	s.feeder.turn++
	s.ticked.Store(s.Clock().UnixMilli())
	return nil
}

// watchQueue notices a Redis that was emptied or replaced and offers everything
// again. The mark is set last, so that a leader that dies in between starts over.
func (s *Scheduler) watchQueue(ctx context.Context) error {
	epoch, err := s.Queue.Epoch(ctx)
	if err != nil {
		return err
	}
	if epoch != "" && epoch == s.feeder.epoch {
		return nil
	}
	if err := s.Queue.Reset(ctx); err != nil {
		return err
	}
	if err := s.refeedAll(ctx); err != nil {
		return err
	}
	s.offered.clear()
	s.release.clear()
	s.feeder.epoch, err = s.Queue.SetEpoch(ctx)
	return err
}

// refeedAll offers again what every open run handed over. A run that cannot be
// does not hold up the others: what it lost comes back a minute later
// (messages.Refeed). When none can be, the database is in trouble and all of it
// is done anew.
func (s *Scheduler) refeedAll(ctx context.Context) error {
	runs, err := s.openRuns(ctx)
	if err != nil {
		return err
	}
	runs = slices.DeleteFunc(runs, func(r openRun) bool { return r.Settled })
	var problem error
	failed := 0
	for _, r := range runs {
		err := s.Pool.InLedger(ctx, r.Workspace, func(tx pgx.Tx) error {
			_, err := messages.RefeedAll(ctx, tx, r.Workspace, r.Run)
			return err
		})
		if err != nil {
			s.Log.Error("feed a run again", "run", r.Run, "error", err)
			problem, failed = err, failed+1
		}
	}
	if ctx.Err() != nil || failed > 0 && failed == len(runs) {
		return errors.Join(ctx.Err(), problem)
	}
	return nil
}

// feedNumber shares what a number may send now between its runs. A run that
// cannot be read or fed is passed over.
func (s *Scheduler) feedNumber(ctx context.Context, runs []feedRun) {
	flow := s.feeder.flow(runs[0], s.Clock())
	backlogs := make([]messages.Backlog, len(runs))
	open := make([]bool, len(runs))
	out, oldest, eager := 0, time.Duration(0), 0
	for i, r := range runs {
		err := s.Pool.InLedger(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
			backlogs[i], open[i], err = messages.ReadBacklog(ctx, tx, r.Workspace, r.Run)
			return err
		})
		if err != nil {
			s.Log.Error("read a run's backlog", "run", r.Run, "error", err)
			open[i] = false
			continue
		}
		out += backlogs[i].Waiting + backlogs[i].Sending
		oldest = max(oldest, backlogs[i].OldestPOST)
		if open[i] {
			eager++
		}
	}
	room := flow.room(s.Clock(), out, oldest)
	for k := range runs {
		i := (k + s.feeder.turn) % len(runs)
		if !open[i] || room <= 0 {
			continue
		}
		share := (room + eager - 1) / eager
		n, err := s.feedRun(ctx, runs[i], backlogs[i], s.feeder.allowed(runs[i], share, s.Clock()))
		if err != nil {
			s.Log.Error("feed a run", "run", runs[i].Run, "error", err)
		}
		s.feeder.spend(runs[i], n)
		room, eager = room-n, eager-1
	}
}

// feedRun hands over at most n messages of a run and returns how many. The
// cursor is committed before the tasks are enqueued: a crash in between costs
// those messages a minute (messages.Refeed), never one of them.
func (s *Scheduler) feedRun(ctx context.Context, r feedRun, b messages.Backlog, n int) (int, error) {
	if n <= 0 {
		return 0, nil
	}
	var list []messages.Candidate
	cursor := b.Fed
	err := s.Pool.InLedger(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
		list, cursor, err = messages.Candidates(ctx, tx, r.Workspace, r.Run, b, n)
		return err
	})
	if err != nil || len(list) == 0 && cursor == b.Fed {
		return 0, err
	}
	granted, later, cursor, err := s.reserve(ctx, r, list, cursor)
	if err != nil || len(granted)+len(later) == 0 && cursor == b.Fed {
		return 0, err
	}
	err = s.Pool.InLedger(ctx, r.Workspace, func(tx pgx.Tx) error {
		return messages.MoveCursor(ctx, tx, r.Workspace, r.Run, cursor, later, placeWait)
	})
	if err != nil {
		return 0, err
	}
	feed := s.Clock().UnixMilli()
	tasks := make([]queue.Task, len(granted))
	for i, c := range granted {
		tasks[i] = queue.SendMessage{Workspace: r.Workspace, Run: r.Run, Ordinal: c.Ordinal, Contact: c.Contact,
			Number: r.Number, Feed: feed, Reply: r.Kind == "reply"}
	}
	s.release.add(s.Clock(), tasks)
	return len(tasks), nil
}

// placeWait is when a message without a place under the portfolio's limit is
// looked at again.
const placeWait = 30 * time.Second

// reserve splits candidates into those with a place under the portfolio's
// limit and those that came back and wait for the next free one. The cursor
// stays before the first fresh one without a place: what nobody ever handed
// over waits there, at no cost, and not as rows to be looked at again.
func (s *Scheduler) reserve(ctx context.Context, r feedRun, list []messages.Candidate, cursor int32) (
	now []messages.Candidate, later []id.Message, upTo int32, err error) {
	if len(list) == 0 {
		return nil, nil, cursor, nil
	}
	wanted := make([]numbers.Wanted, len(list))
	for i, c := range list {
		wanted[i] = numbers.Wanted{Hash: c.Hash, Run: r.Run, Ordinal: c.Ordinal}
	}
	var places []bool
	err = s.Pool.InEngine(ctx, func(tx pgx.Tx) (err error) {
		places, err = numbers.ReservePlaces(ctx, tx, r.Portfolio, wanted)
		return err
	})
	if err != nil {
		return nil, nil, cursor, err
	}
	for i, c := range list {
		switch {
		case places[i]:
			now = append(now, c)
		case c.Fresh:
			return now, later, c.Ordinal - 1, nil
		default:
			later = append(later, id.Message{Run: r.Run, Ordinal: c.Ordinal})
		}
	}
	return now, later, cursor, nil
}
