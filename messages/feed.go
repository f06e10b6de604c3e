package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Candidate is a message the feeder may hand to the queue.
type Candidate struct {
	Ordinal int32
	Contact id.Contact
	Hash    []byte
	Fresh   bool // above the cursor; else one that came back
	Window  bool // the person's service window with the run's number is open, and stays so until the claim: no place is needed
}

// Backlog is how a run stands for the feeder.
type Backlog struct {
	Number   id.Number
	Planned  int32 // ordinals given out, and up to the boundary of the open wave
	Fed      int32 // ordinals handed over
	PlanDone bool
	Waiting  int // handed over and not claimed
	Sending  int // claimed in the last five seconds, answer outstanding
	Young    int // of those, claimed in the last second
	Slow     int // claims without an answer for more than a second, if every process had as few as the one that answers best
}

// sqlBacklog counts what is out. A message that came back and is due again is
// not out but waits to be handed over, and so does one that is put off: counted
// as out, a window full of them would never open again. A claim that is older
// than any POST can last (15 s and its departure) is a dead process's; and while
// one process answers, the old claims of another say nothing of the number. A
// claim takes a place for five seconds only: when every process died with its
// slots full, nothing would be fed that could show that the number answers.
//
// In a run by everybody's own zone the cursor is soon at the end, and nearly all
// below it wait for their time: there what is out is found by its lease, which is a
// minute at most. Its order is what makes sure of the index message_again, and no
// number has room for more than the limit.
const sqlBacklog = `
select r.number_id, least(r.planned, r.wave_to, r.budget_to), r.fed, r.plan_done,
    case when r.recipient_time
        then (select count(*)
            from (select from message m
                where m.run_id = r.id and m.state = 'ready'
                  and m.feed_after > bareed_now()
                  and m.feed_after <= bareed_now() + interval '61 seconds'
                  and (m.not_before is null or m.not_before <= bareed_now())
                order by m.feed_after
                limit 2000) leased)
        else (select count(*) from message m
            where m.run_id = r.id and m.state = 'ready' and m.ordinal <= r.fed
              and (m.not_before is null or m.not_before <= bareed_now())
              and (m.feed_after is null or m.feed_after > bareed_now()))
    end,
    s.sending,
    s.young,
    s.slow
from run r,
    lateral (select coalesce(sum(by.n), 0)::int as sending, coalesce(sum(by.young), 0)::int as young,
            coalesce(min(by.slow) * count(*), 0)::int as slow
        from (select count(*) filter (where m.claimed_at > bareed_now() - interval '5 seconds') as n,
                count(*) filter (where m.claimed_at > bareed_now() - interval '1 second') as young,
                count(*) filter (where m.claimed_at < bareed_now() - interval '1 second') as slow
            from message m
            where m.run_id = r.id
              and m.state = 'sending'
              and m.claimed_at > bareed_now() - interval '16 seconds'
            group by m.claimed_by) by) s
where r.workspace_id = $1
  and r.id = $2
  and r.state = 'running'
  and not stopped(r.workspace_id, array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id,
      r.template_id, r.campaign_id, r.id])`

// ReadBacklog returns how a running run stands; open is false when it is not
// running or a stop holds it, and then nothing is to be fed.
func ReadBacklog(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (b Backlog, open bool, err error) {
	err = tx.QueryRow(ctx, sqlBacklog, ws, run).Scan(&b.Number, &b.Planned, &b.Fed, &b.PlanDone, &b.Waiting, &b.Sending, &b.Young, &b.Slow)
	if err == pgx.ErrNoRows {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("read the backlog: %w", err)
	}
	return b, true, nil
}

// sqlAgain takes what came back and is due, or is due at a time of its own, up to
// $5, beyond which the claim would refuse it: it would take a place under the limit
// from somebody who may go. feed_after becomes a lease: if the task is lost, the
// row is due again in a minute. The index message_again orders it, so the cost does
// not grow with the run; the sum keeps indexes by ordinal out of it.
const sqlAgain = `
with due as (
    select run_id, ordinal
    from message
    where workspace_id = $1
      and run_id = $2
      and state = 'ready'
      and feed_after <= bareed_now()
      and (not_before is null or not_before <= bareed_now())
      and ordinal + 0 <= $5
    order by feed_after
    limit $3
    for update skip locked
)
update message m
set feed_after = bareed_now() + interval '60 seconds'
from due
where m.run_id = due.run_id
  and m.ordinal = due.ordinal
returning m.ordinal, m.contact_id, m.recipient_hash, false as fresh,
    coalesce((
        select sw.open_until > bareed_now() + interval '2 minutes'
        from service_window sw
        where sw.workspace_id = $1
          and sw.number_id = $4
          and sw.recipient_hash = m.recipient_hash), false) as in_window`

// sqlFresh looks no further than $4, a window behind the cursor: over a
// partitioned table neither the order nor the limit bounds what is read. What is
// due at a time of its own (a person's zone) is passed over: sqlAgain takes it then.
const sqlFresh = `
select m.ordinal, m.contact_id, m.recipient_hash, true as fresh,
    coalesce((
        select sw.open_until > bareed_now() + interval '2 minutes'
        from service_window sw
        where sw.workspace_id = $1
          and sw.number_id = $6
          and sw.recipient_hash = m.recipient_hash), false) as in_window
from message m
where m.workspace_id = $1
  and m.run_id = $2
  and m.ordinal > $3
  and m.ordinal <= $4
  and m.state = 'ready'
  and m.feed_after is null
order by m.ordinal
limit $5`

// Candidates picks up to n messages of a run: first those that came back, then
// the next ones behind the cursor. cursor is where the cursor may move to once
// the fresh ones are handed over or put off.
func Candidates(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, b Backlog, n int) (list []Candidate, cursor int32, err error) {
	list, err = pg.All(ctx, tx, "pick returned messages", pgx.RowToStructByPos[Candidate], sqlAgain, ws, run, n, b.Number, b.Planned)
	if err != nil {
		return nil, 0, err
	}
	room := n - len(list)
	if room == 0 || b.Fed == b.Planned {
		return list, b.Fed, nil
	}
	to := min(b.Planned, b.Fed+int32(max(1000, 20*room)))
	fresh, err := pg.All(ctx, tx, "pick the next messages", pgx.RowToStructByPos[Candidate], sqlFresh, ws, run, b.Fed, to, room, b.Number)
	if err != nil {
		return nil, 0, err
	}
	cursor = to
	if len(fresh) == room {
		cursor = fresh[room-1].Ordinal
	}
	return append(list, fresh...), cursor, nil
}

const sqlMoveCursor = `
update run
set fed = greatest(fed, $3)
where workspace_id = $1
  and id = $2`

// MoveCursor notes that everything up to the ordinal was handed over or put
// off. The messages in later were put off: the feeder offers them again after
// wait. It commits before the tasks are enqueued; a crash in between costs a
// minute, never a message.
func MoveCursor(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, cursor int32, later []id.Message, wait time.Duration) error {
	if _, err := tx.Exec(ctx, sqlMoveCursor, ws, run, cursor); err != nil {
		return fmt.Errorf("move the feed cursor: %w", err)
	}
	if len(later) == 0 {
		return nil
	}
	list := make([]Returned, len(later))
	for i, m := range later {
		list[i] = Returned{Message: m, After: wait}
	}
	return offerLater(ctx, tx, ws, list, true)
}
