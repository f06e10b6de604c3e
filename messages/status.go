package messages

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/whatsapp"
)

// Applied counts what came of a batch of statuses.
type Applied struct {
	Matched   int // messages a status was applied to
	Unmatched int // statuses that name no message of this workspace
	Forged    int // callback data with a wrong proof
	Foreign   int // callback data of ours that names no message of this workspace and number: a security event
}

// heard is everything one batch says about one message.
type heard struct {
	message id.Message
	echo    bool // by callback data, so Meta accepted it whatever we knew
	state   State
	at      map[State]time.Time
	wamid   string
	waID    string
	pricing json.RawMessage
	code    int
}

// ApplyStatuses applies the statuses of one number. A status is found by its
// callback data first, because it can arrive before our own record of the
// message id. Ranks only rise and every time is set once, so order, repetition
// and age of the statuses change nothing. now replaces unbelievable times.
func ApplyStatuses(ctx context.Context, tx pgx.Tx, s signer, ws id.Workspace, number id.Number,
	statuses []whatsapp.Status, now time.Time) (Applied, error) {
	var done Applied
	byMessage := map[id.Message]*heard{}
	byWAMID := map[string][]whatsapp.Status{}
	for _, st := range statuses {
		if st.CallbackData == "" {
			byWAMID[st.ID.Raw()] = append(byWAMID[st.ID.Raw()], st)
			continue
		}
		c, ours := DecodeCallback(s, st.CallbackData)
		if !ours {
			done.Forged++
			continue
		}
		hear(byMessage, c.Message, st, true, now)
	}
	if err := findWAMIDs(ctx, tx, ws, byWAMID, byMessage, &done, now); err != nil {
		return done, err
	}
	if len(byMessage) == 0 {
		return done, nil
	}
	return done, writeHeard(ctx, tx, ws, number, byMessage, &done)
}

// hear adds a status to what is known of its message. Kinds Meta may add later
// carry nothing we can use, but their callback data still proves acceptance.
func hear(all map[id.Message]*heard, m id.Message, st whatsapp.Status, echo bool, now time.Time) {
	h := all[m]
	if h == nil {
		h = &heard{message: m, state: Accepted, at: map[State]time.Time{}}
		all[m] = h
	}
	h.echo = h.echo || echo
	h.wamid, h.waID = first(h.wamid, st.ID.Raw()), first(h.waID, st.RecipientID)
	if h.pricing == nil {
		h.pricing = st.PricingRaw
	}
	state := State(st.Kind)
	if rank(state) < rank(Sent) {
		return
	}
	at := st.At
	if at.IsZero() || st.BadTime || at.After(now.Add(24*time.Hour)) {
		at = now
	}
	if was, ok := h.at[state]; !ok || at.Before(was) {
		h.at[state] = at
	}
	if state == Failed && len(st.Errors) > 0 {
		h.code = st.Errors[0].Code
	}
	if rank(state) > rank(h.state) {
		h.state = state
	}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

const sqlFindWAMIDs = `
select wamid, run_id, ordinal
from message
where workspace_id = $1
  and wamid = any ($2)`

func findWAMIDs(ctx context.Context, tx pgx.Tx, ws id.Workspace, by map[string][]whatsapp.Status,
	all map[id.Message]*heard, done *Applied, now time.Time) error {
	if len(by) == 0 {
		return nil
	}
	wamids := make([]string, 0, len(by))
	for w := range by {
		wamids = append(wamids, w)
	}
	rows, err := tx.Query(ctx, sqlFindWAMIDs, ws, wamids)
	if err != nil {
		return fmt.Errorf("find messages by Meta's id: %w", err)
	}
	var wamid string
	var m id.Message
	found := map[string]bool{}
	_, err = pgx.ForEachRow(rows, []any{&wamid, &m.Run, &m.Ordinal}, func() error {
		found[wamid] = true
		for _, st := range by[wamid] {
			hear(all, m, st, false, now)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find messages by Meta's id: %w", err)
	}
	for w, list := range by {
		if !found[w] {
			done.Unmatched += len(list)
		}
	}
	return nil
}

// sqlApply raises rows to what was heard. message_rank gives the order of the
// states; an echo lifts any row, other statuses only rows Meta already accepted.
// The run must be one of the number that the webhook was for, so that nobody
// can move another number's rows. Locked in order, as the claim does.
const sqlApply = `
with x as (
    select *
    from unnest($3::uuid[], $4::int[], $5::bool[], $6::text[], $7::timestamptz[], $8::timestamptz[],
        $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $14::jsonb[], $15::int[])
        as x(run_id, ordinal, echo, state, sent_at, delivered_at, read_at, played_at, failed_at, wamid, wa_id, pricing, code)
), pick as (
    select m.run_id, m.ordinal, m.was, m.rises
    from (
        select x.run_id, x.ordinal, x.state, x.echo
        from x
        join run r on r.workspace_id = $1 and r.id = x.run_id and r.number_id = $2
        order by x.run_id, x.ordinal
        offset 0) x
    cross join lateral (
        select m.run_id, m.ordinal, m.state as was,
            message_rank(x.state) > message_rank(m.state)
                and (x.state not in ('accepted', 'failed') or m.state <> 'suppressed') as rises
        from message m
        where m.run_id = x.run_id
          and m.ordinal = x.ordinal
          and m.workspace_id = $1
          and m.attempt > 0
          and (x.echo or message_rank(m.state) > 0)
        for update) m
)
update message m
set state = case when pick.rises then x.state else m.state end,
    reason = case
        when pick.rises and x.state = 'failed' then 'meta_' || x.code
        when pick.rises then null
        else m.reason
    end,
    accepted_at = coalesce(m.accepted_at, x.sent_at, x.delivered_at, x.read_at, bareed_now()),
    sent_at = coalesce(m.sent_at, x.sent_at),
    delivered_at = coalesce(m.delivered_at, x.delivered_at),
    read_at = coalesce(m.read_at, x.read_at),
    played_at = coalesce(m.played_at, x.played_at),
    failed_at = coalesce(m.failed_at, x.failed_at),
    wamid = coalesce(m.wamid, nullif(x.wamid, '')),
    wa_id = coalesce(m.wa_id, nullif(x.wa_id, '')),
    pricing = coalesce(m.pricing, x.pricing),
    meta_code = case when x.code <> 0 then x.code else m.meta_code end,
    not_before = case when pick.rises then null else m.not_before end,
    feed_after = case when pick.rises then null else m.feed_after end,
    resolved_by = case when pick.rises and pick.was in ('ready', 'sending', 'unknown', 'unconfirmed', 'suppressed')
        then 'echo' else m.resolved_by end,
    updated_at = bareed_now()
from pick
join x using (run_id, ordinal)
where m.run_id = pick.run_id
  and m.ordinal = pick.ordinal
returning m.run_id, m.ordinal, m.recipient_hash,
    pick.rises and x.state in ('delivered', 'read', 'played') and message_rank(pick.was) < 4 as arrived,
    pick.rises and x.state = 'failed' as failed,
    x.echo`

func writeHeard(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number, by map[id.Message]*heard, done *Applied) error {
	all := make([]*heard, 0, len(by))
	for _, h := range by {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *heard) int { return slices.Compare(a.message.Run[:], b.message.Run[:]) })
	rows, err := tx.Query(ctx, sqlApply, append([]any{ws, number}, columns(all)...)...)
	if err != nil {
		return fmt.Errorf("apply statuses: %w", err)
	}
	moved, err := pgx.CollectRows(rows, pgx.RowToStructByPos[movedRow])
	if err != nil {
		return fmt.Errorf("apply statuses: %w", err)
	}
	done.Matched = len(moved)
	seen := make(map[id.Message]bool, len(moved))
	echo := false
	for _, m := range moved {
		seen[id.Message{Run: m.Run, Ordinal: m.Ordinal}] = true
		echo = echo || m.Echo
	}
	for m, h := range by {
		if h.echo && !seen[m] {
			done.Foreign++
		}
	}
	if echo {
		if _, err := tx.Exec(ctx, sqlEchoSeen, ws, number); err != nil {
			return fmt.Errorf("note the echo: %w", err)
		}
	}
	if err := touch(ctx, tx, ws, moved); err != nil {
		return err
	}
	if err := stopOnFailures(ctx, tx, ws, moved, by); err != nil {
		return err
	}
	return movePlaces(ctx, tx, ws, number, moved)
}

// sqlTouch marks runs that are over, so that their picture is drawn again. Of
// runs that are not, the picture is drawn anyway, and their row is left alone:
// every status would queue for its lock. The mark is renewed, not only set,
// because it says until when receipts may still be on their way to the commit.
const sqlTouch = `
update run
set touched_at = bareed_now()
where workspace_id = $1
  and id = any ($2)
  and settled_at is not null
  and (touched_at is null or touched_at < bareed_now() - interval '2 seconds')`

func touch(ctx context.Context, tx pgx.Tx, ws id.Workspace, moved []movedRow) error {
	var runs []id.Run
	for _, m := range moved {
		if !slices.Contains(runs, m.Run) {
			runs = append(runs, m.Run)
		}
	}
	if _, err := tx.Exec(ctx, sqlTouch, ws, runs); err != nil {
		return fmt.Errorf("mark ended runs: %w", err)
	}
	return nil
}

// sqlUntouch: a transaction that found a young mark and left it may not have
// committed yet, and the picture about to be drawn would miss it.
const sqlUntouch = `
update run
set touched_at = null
where workspace_id = $1
  and id = $2
  and touched_at < bareed_now() - interval '10 seconds'`

// Untouch takes the mark off a run whose picture is about to be drawn again,
// unless it is so young that the next picture may differ.
func Untouch(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlUntouch, ws, run); err != nil {
		return fmt.Errorf("take the mark off a run: %w", err)
	}
	return nil
}

const sqlEchoSeen = `
update number
set echo_seen_at = bareed_now()
where workspace_id = $1
  and id = $2
  and echo_seen_at is null`

type movedRow struct {
	Run     id.Run
	Ordinal int32
	Hash    []byte
	Arrived bool
	Failed  bool
	Echo    bool
}

func columns(all []*heard) []any {
	n := len(all)
	runs, ordinals, echoes, states := make([]id.Run, n), make([]int32, n), make([]bool, n), make([]string, n)
	times := map[State][]*time.Time{}
	for _, s := range []State{Sent, Delivered, Read, Played, Failed} {
		times[s] = make([]*time.Time, n)
	}
	wamids, waIDs, pricing, codes := make([]string, n), make([]string, n), make([]json.RawMessage, n), make([]int32, n)
	for i, h := range all {
		runs[i], ordinals[i], echoes[i], states[i] = h.message.Run, h.message.Ordinal, h.echo, string(h.state)
		for s, at := range h.at {
			times[s][i] = &at
		}
		wamids[i], waIDs[i], pricing[i], codes[i] = h.wamid, h.waID, h.pricing, int32(h.code)
	}
	return []any{runs, ordinals, echoes, states, times[Sent], times[Delivered], times[Read], times[Played], times[Failed],
		wamids, waIDs, pricing, codes}
}

const sqlCountPlaces = `select place_count($1, n.portfolio_id) from number n where n.workspace_id = $2 and n.id = $3`

const sqlPortfolioOf = `select portfolio_id from number where workspace_id = $1 and id = $2`

// movePlaces counts the places of people whose message arrived and frees those
// of messages that failed.
func movePlaces(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number, moved []movedRow) error {
	var arrived [][]byte
	var failed []Result
	for _, m := range moved {
		if m.Arrived {
			arrived = append(arrived, m.Hash)
		}
		if m.Failed {
			failed = append(failed, Result{Message: id.Message{Run: m.Run, Ordinal: m.Ordinal}, Hash: m.Hash, State: Failed})
		}
	}
	if len(arrived) > 0 {
		if _, err := tx.Exec(ctx, sqlCountPlaces, arrived, ws, number); err != nil {
			return fmt.Errorf("count places: %w", err)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	var portfolio id.Portfolio
	if err := tx.QueryRow(ctx, sqlPortfolioOf, ws, number).Scan(&portfolio); err != nil {
		return fmt.Errorf("find the portfolio: %w", err)
	}
	for i := range failed {
		failed[i].Portfolio = portfolio
	}
	return freePlaces(ctx, tx, failed)
}
