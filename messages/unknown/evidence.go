package unknown

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Judged is one message without an answer, with what is known about it.
type Judged struct {
	Ordinal int32
	Token   uuid.UUID // of the attempt that was judged
	At      time.Time // of its claim
	Facts
}

// sqlSetting reads what holds for all messages of a run; no row when the run
// does not send again by evidence or is over.
const sqlSetting = `
select n.echo_seen_at is not null,
    exists (
        select from event e
        where e.workspace_id = $1
          and e.state = 'new'
          and e.received_at < bareed_now() - $3::interval)
from run r
join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
where r.workspace_id = $1
  and r.id = $2
  and r.unknown_policy = 'evidence'
  and r.state in ('running', 'finishing')`

// sqlOverdue picks at random among more than a round can take, so that those
// which cannot be proven do not keep the others waiting.
const sqlOverdue = `
select m.ordinal, m.claim_token, m.claimed_at, extract(epoch from bareed_now() - m.claimed_at)::float8,
    exists (
        select from message_attempt a
        where a.run_id = m.run_id
          and a.ordinal = m.ordinal
          and a.outcome = 'resent_by_evidence')
from message m
where m.workspace_id = $1
  and m.run_id = $2
  and m.state = 'unknown'
  and m.claimed_at <= bareed_now() - $3::interval
order by random()
limit $4`

// atOnce bounds a round.
const atOnce = 10000

// sqlNeighbours looks at every accepted message of the number and template, of
// whatever run, in the time around those to be judged, and counts for each what
// lies within the window of its own. A neighbour counts as heard of when Meta's
// own answer accepted it: one that only its receipt made known proves nothing
// about receipts that do not come. One held for quality assessment and released
// counts as held too: those beside it may be held still.
const sqlNeighbours = `
with due as materialized (
    select d.ordinal, d.claimed_at
    from unnest($3::int[], $4::timestamptz[]) as d(ordinal, claimed_at)
), span as materialized (
    select min(claimed_at) - $5::interval as first, max(claimed_at) + $5::interval as last
    from due
), near as (
    select null::int as ordinal, m.claimed_at, m.state in ('accepted', 'held') as silent, m.held_at is not null as held,
        m.state not in ('accepted', 'held') and m.http_status between 200 and 299 as heard
    from span
    join run mine on mine.workspace_id = $1 and mine.id = $2
    join run r on r.workspace_id = $1 and r.number_id = mine.number_id and r.template_id = mine.template_id
        and r.created_at <= span.last and (r.ended_at is null or r.ended_at >= span.first)
    join message m on m.run_id = r.id and m.workspace_id = $1
        and m.claimed_at between span.first and span.last
        and m.accepted_at is not null
    union all
    select ordinal, claimed_at, false, false, false
    from due
), counted as (
    select ordinal,
        count(*) filter (where heard) over around as heard,
        count(*) filter (where silent) over around as silent,
        count(*) filter (where held) over around as held
    from near
    window around as (order by claimed_at range between $5::interval preceding and $5::interval following)
)
select ordinal, heard, silent, held
from counted
where ordinal is not null`

// sqlLost finds the newest event that could not be applied. Whatever it said, no
// message claimed before it came can be proven.
const sqlLost = `
select max(e.received_at)
from event e
where e.workspace_id = $1
  and e.state = 'failed'`

// Look gathers the facts about every message of a run that has been without an
// answer for s.After or longer; none when the run's policy is another. The
// transaction's one statement after the other may see different moments; that
// only errs towards silence, and Resend looks again at the row itself.
func Look(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, s Settings) ([]Judged, error) {
	var echo, waiting bool
	err := tx.QueryRow(ctx, sqlSetting, ws, run, MaxBacklog).Scan(&echo, &waiting)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the run's policy: %w", err)
	}
	list, err := overdue(ctx, tx, ws, run, s.Filled().After)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var lost *time.Time
	if err := tx.QueryRow(ctx, sqlLost, ws).Scan(&lost); err != nil {
		return nil, fmt.Errorf("look for events that were not applied: %w", err)
	}
	for i := range list {
		list[i].EchoSeen, list[i].Waiting = echo, waiting
		list[i].Lost = lost != nil && lost.After(list[i].At)
	}
	if echo && !waiting { // counting reads much, and could not change the verdict
		err = neighbours(ctx, tx, ws, run, list)
	}
	return list, err
}

func overdue(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, after time.Duration) ([]Judged, error) {
	return pg.All(ctx, tx, "find messages without an answer", func(row pgx.CollectableRow) (Judged, error) {
		var j Judged
		var age float64
		err := row.Scan(&j.Ordinal, (*[16]byte)(&j.Token), &j.At, &age, &j.Resent)
		j.Age = time.Duration(age * float64(time.Second))
		return j, err
	}, sqlOverdue, ws, run, after, atOnce)
}

func neighbours(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, list []Judged) error {
	ordinals, times, place := make([]int32, len(list)), make([]time.Time, len(list)), make(map[int32]int, len(list))
	for i, j := range list {
		ordinals[i], times[i], place[j.Ordinal] = j.Ordinal, j.At, i
	}
	rows, err := tx.Query(ctx, sqlNeighbours, ws, run, ordinals, times, Around)
	if err != nil {
		return fmt.Errorf("look at the neighbours: %w", err)
	}
	var ordinal int32
	var heard, silent, held int
	_, err = pgx.ForEachRow(rows, []any{&ordinal, &heard, &silent, &held}, func() error {
		f := &list[place[ordinal]].Facts
		f.Heard, f.Silent, f.Held = heard, silent, held
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at the neighbours: %w", err)
	}
	return nil
}

// sqlResend returns judged messages to ready, if nothing has become of them
// since: same attempt, still unknown. The next claim raises the attempt, so its
// callback data differ; an echo of the older attempt lifts the row out of ready
// and thereby cancels the resend. Locked in the claim's order.
const sqlResend = `
with pick as (
    select m.run_id, m.ordinal
    from unnest($3::int[], $4::uuid[]) as a(ordinal, token)
    join message m on m.run_id = $2 and m.ordinal = a.ordinal and m.workspace_id = $1
    where m.state = 'unknown'
      and m.claim_token = a.token
    order by m.run_id, m.ordinal
    for update of m
), moved as (
    update message m
    set state = 'ready', reason = null, not_before = null, feed_after = bareed_now(), resolved_by = 'evidence',
        updated_at = bareed_now()
    from pick
    where m.run_id = pick.run_id
      and m.ordinal = pick.ordinal
      and m.state = 'unknown'
    returning m.ordinal, m.attempt, m.claim_token
)
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
select $1, $2, ordinal, attempt, claim_token, 'resent_by_evidence'
from moved`

// Resend sends again what Judge has proven never to have been accepted, and
// returns how many.
func Resend(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, list []Judged, s Settings) (int, error) {
	var ordinals []int32
	var tokens [][16]byte
	for _, j := range list {
		if Judge(j.Facts, s) == Proven {
			ordinals, tokens = append(ordinals, j.Ordinal), append(tokens, j.Token)
		}
	}
	if len(ordinals) == 0 {
		return 0, nil
	}
	tag, err := tx.Exec(ctx, sqlResend, ws, run, ordinals, tokens)
	if err != nil {
		return 0, fmt.Errorf("send again what was proven unsent: %w", err)
	}
	return int(tag.RowsAffected()), nil
}
