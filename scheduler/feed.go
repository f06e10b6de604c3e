package scheduler

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/queue"
)

// tick is how often the feed looks.
const tick = 200 * time.Millisecond

// lanesAtOnce is how many lanes are looked at side by side: a look is a handful
// of transactions, two of which wait for the disk, and one after the other many
// numbers would wait for each other.
const lanesAtOnce = 8

// feeder is what the leader remembers between ticks. All of it may be lost.
type feeder struct {
	mu    sync.Mutex // over what several lanes share: paces and queue
	epoch string     // the queue's, as it was last set
	again recovery
	flows map[lane]*flow
	paces map[id.Run]*pace
	turn  int // which run goes first, so that none always does
	queue line

	sending bool      // at the last tick some run was running
	raised  time.Time // when the ledger's mark last was
}

func newFeeder() feeder {
	return feeder{flows: map[lane]*flow{}, paces: map[id.Run]*pace{}, queue: newLine()}
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
	Priority  string // who goes first where places are scarce
	Share     string // of the portfolio's places that its campaign names; empty: none
	Left      int    // people it has still to reach, at most; none while its number cannot send
}

// lane is one of a number's two streams: a run of replies never waits behind
// what a campaign has out.
type lane struct {
	number id.Number
	reply  bool
}

func (r feedRun) lane() lane { return lane{r.Number, r.Kind == "reply"} }

// sqlFeedRuns: a number that Meta rates medium or low sends bulk at half its rate;
// a person who resumed there buys it time to recover. Replies are not slowed.
const sqlFeedRuns = `
select r.workspace_id, r.id, r.number_id, r.portfolio_id, r.kind, r.per_minute,
    greatest(1, case when n.is_on_biz_app then least(n.per_second, 20) else n.per_second end
        / case when n.quality in ('YELLOW', 'RED') and r.kind <> 'reply' then 2 else 1 end),
    case when r.kind <> 'campaign' then 'high' else coalesce(c.priority, 'normal') end,
    coalesce(c.share, ''),
    case
        when n.status <> 'CONNECTED' or n.disconnected_at is not null then 0
        else greatest(r.planned, case when r.plan_done then 0 else coalesce(r.expected, 0) end)::int - r.fed
    end
from run r
join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
left join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
where r.state = 'running'
  and r.starts_at <= bareed_now()
  and (r.finish_within is null or r.plan_done)
order by r.number_id, r.kind = 'reply', r.id`

// feed hands the next messages of every running run to the queue, lane by lane,
// as many as each may send until the next look.
func (s *Scheduler) feed(ctx context.Context) error { return s.feedBy(ctx, lanesAtOnce) }

// feedBy is feed with so many lanes side by side.
func (s *Scheduler) feedBy(ctx context.Context, width int) error {
	if err := s.guard(ctx, s.feeder.sending); err != nil {
		return err
	}
	if err := s.watchQueue(ctx); err != nil {
		return err
	}
	runs, err := pg.All(ctx, s.Pool.Engine(), "find running runs", pgx.RowToStructByPos[feedRun], sqlFeedRuns)
	if err != nil {
		return err
	}
	s.feeder.forget(runs)
	s.feeder.queue.form(runs)
	s.feeder.sending = len(runs) > 0
	s.feedLanes(ctx, runs, width)
	s.feeder.turn++
	s.ticked.Store(s.Clock().UnixMilli())
	return nil
}

// feedLanes looks at every lane of the runs, which are in order of it, width of
// them at once.
func (s *Scheduler) feedLanes(ctx context.Context, runs []feedRun, width int) {
	type look struct {
		flow *flow
		runs []feedRun
	}
	lanes := make(chan look)
	var all sync.WaitGroup
	for range width {
		all.Go(func() {
			for l := range lanes {
				s.feedLane(ctx, l.flow, l.runs)
			}
		})
	}
	for first := 0; first < len(runs); {
		last := first
		for last < len(runs) && runs[last].lane() == runs[first].lane() {
			last++
		}
		lanes <- look{s.feeder.flow(runs[first], s.Clock()), runs[first:last]}
		first = last
	}
	close(lanes)
	all.Wait()
}

// feedLane shares what a lane may send now between its runs. A run that cannot be
// read or fed is passed over.
func (s *Scheduler) feedLane(ctx context.Context, flow *flow, runs []feedRun) {
	backlogs := make([]messages.Backlog, len(runs))
	open := make([]bool, len(runs))
	out, awaited, late, eager := 0, 0, 0, 0
	for i, r := range runs {
		err := s.Pool.InLedgerBriefly(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
			backlogs[i], open[i], err = messages.ReadBacklog(ctx, tx, r.Workspace, r.Run)
			return err
		})
		if err != nil {
			s.Log.Error("read a run's backlog", "run", r.Run, "error", err)
			open[i] = false
			continue
		}
		s.feeder.note(r.Run, open[i])
		out += backlogs[i].Waiting + backlogs[i].Sending
		awaited += backlogs[i].Waiting + backlogs[i].Young
		late += backlogs[i].Slow
		if open[i] {
			eager++
		}
	}
	if flow.answered(s.Clock(), awaited) {
		late = 0
	}
	s.share(ctx, flow, runs, backlogs, open, eager, flow.room(s.Clock(), out, late))
}

// share gives each of a lane's open runs its part of the room, eager of them, in turns.
func (s *Scheduler) share(ctx context.Context, flow *flow, runs []feedRun, backlogs []messages.Backlog, open []bool, eager, room int) {
	for k := range runs {
		i := (k + s.feeder.turn) % len(runs)
		if !open[i] || room <= 0 {
			continue
		}
		share := (room + eager - 1) / eager
		n, err := s.feedRun(ctx, flow, runs[i], backlogs[i], s.feeder.allowed(runs[i], share, s.Clock()))
		if err != nil {
			s.Log.Error("feed a run", "run", runs[i].Run, "error", err)
		}
		flow.spend(n, s.Clock())
		s.feeder.spend(runs[i], n)
		room, eager = room-n, eager-1
	}
}

// feedRun hands over at most n messages of a run and returns how many. The
// cursor is committed before the tasks are enqueued: a crash in between costs
// those messages a minute (messages.Refeed), never one of them.
func (s *Scheduler) feedRun(ctx context.Context, flow *flow, r feedRun, b messages.Backlog, n int) (int, error) {
	if n <= 0 {
		return 0, nil
	}
	var list []messages.Candidate
	cursor := b.Fed
	err := s.Pool.InLedgerBriefly(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
		list, cursor, err = messages.Candidates(ctx, tx, r.Workspace, r.Run, b, n)
		return err
	})
	if err != nil || len(list) == 0 && cursor == b.Fed {
		return 0, err
	}
	granted, later, reached, err := s.reserve(ctx, r, list, cursor)
	if err != nil {
		return 0, err
	}
	if reached < cursor {
		if granted, err = s.ahead(ctx, r, b, reached, granted, n); err != nil {
			return 0, err
		}
	}
	if cursor = reached; len(granted)+len(later) == 0 && cursor == b.Fed {
		return 0, nil
	}
	err = s.Pool.InLedgerBriefly(ctx, r.Workspace, func(tx pgx.Tx) error {
		return messages.MoveCursor(ctx, tx, r.Workspace, r.Run, cursor, later, placeWait)
	})
	if err != nil {
		return 0, err
	}
	return len(granted), s.hand(ctx, flow, r, cursor, granted)
}

// hand notes how far a run was fed, and hands its people over to be released.
func (s *Scheduler) hand(ctx context.Context, flow *flow, r feedRun, cursor int32, granted []messages.Candidate) error {
	mark := cursor // or the last one that was taken out of the turn
	for _, c := range granted {
		mark = max(mark, c.Ordinal)
	}
	if err := s.Queue.Marks().SetFed(ctx, r.Run, mark); err != nil {
		return err // they are offered again (messages.Refeed)
	}
	feed := s.Clock().UnixMilli()
	tasks := make([]queue.Task, len(granted))
	for i, c := range granted {
		tasks[i] = queue.SendMessage{Workspace: r.Workspace, Run: r.Run, Ordinal: c.Ordinal, Contact: c.Contact,
			Number: r.Number, Feed: feed, Reply: r.lane().reply}
	}
	s.release.add(s.Clock(), flow.gap, tasks)
	return nil
}
