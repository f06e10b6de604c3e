package messages

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages/callback"
	"bareed/whatsapp"
)

// Told is a status with what its webhook said beside it.
type Told struct {
	whatsapp.Status
	Number   id.Number // the webhook was for
	Event    int       // place of the event in the caller's list
	Received time.Time // replaces an unbelievable time
}

// Applied counts what came of a batch of statuses.
type Applied struct {
	Matched   int          // messages a status was applied to
	Unmatched map[int]int  // by event: statuses that name no message of this workspace
	Forged    int          // callback data with a wrong proof
	Foreign   int          // callback data of ours that names no message of this workspace and number: a security event
	Twice     []id.Message // those of which it was not known before that Meta accepted them twice: an alarm
	Ended     []Ended      // messages that these statuses report as failed
	Arrived   []id.Run     // runs of which a message arrived, each once
}

// Ended is a message that Meta reports as failed. Code is 0 when it names none.
type Ended struct {
	Message id.Message
	Contact id.Contact
	Number  id.Number
	Hash    []byte // of the recipient
	Code    int
	At      time.Time
}

// heard is everything one batch says about one message.
type heard struct {
	subject
	echo    bool // by callback data, so Meta accepted it whatever we knew
	state   State
	at      map[State]time.Time
	wamid   string
	other   string // a second message id of Meta's for the same message
	waID    string
	pricing json.RawMessage
	code    int
	drop    bool // nothing but that Meta dropped what it had held
}

// subject is a message and the number that a webhook says it left from. Only
// the run knows whether that is so.
type subject struct {
	message id.Message
	number  id.Number
}

// ApplyStatuses applies statuses of one workspace, of all its numbers together:
// rows are locked in one order, by run and ordinal, as the claim and the record
// do. A status is found by its callback data first, because it can arrive before
// our own record of the message id. Ranks only rise and every time is set once,
// so order, repetition and age of the statuses change nothing.
func ApplyStatuses(ctx context.Context, tx pgx.Tx, s callback.Signer, ws id.Workspace, all []Told) (Applied, error) {
	done := Applied{Unmatched: map[int]int{}}
	by := map[subject]*heard{}
	byWAMID := map[string][]Told{}
	for _, t := range all {
		if t.CallbackData == "" {
			byWAMID[t.ID.Raw()] = append(byWAMID[t.ID.Raw()], t)
			continue
		}
		c, ours := callback.Decode(s, t.CallbackData)
		if !ours {
			done.Forged++
			continue
		}
		hear(by, c.Message, t, true)
	}
	if err := findWAMIDs(ctx, tx, ws, byWAMID, by, &done); err != nil {
		return done, err
	}
	if len(by) == 0 {
		return done, nil
	}
	return done, writeHeard(ctx, tx, ws, by, &done)
}

// hear adds a status to what is known of its message. Kinds Meta may add later
// carry nothing we can use, but their callback data still proves acceptance.
func hear(by map[subject]*heard, m id.Message, t Told, echo bool) {
	key := subject{m, t.Number}
	h := by[key]
	if h == nil {
		h = newHeard(key, drops(t))
		by[key] = h
	}
	if raw := t.ID.Raw(); h.wamid != "" && raw != "" && raw != h.wamid {
		switch {
		case drops(t):
			return // of an earlier request, and a later one is spoken of
		case h.drop:
			*h = *newHeard(key, false)
		default:
			h.other = raw
		}
	}
	h.echo, h.drop = h.echo || echo, h.drop && drops(t)
	h.wamid, h.waID = first(h.wamid, t.ID.Raw()), first(h.waID, t.RecipientID)
	if h.pricing == nil {
		h.pricing = t.PricingRaw
	}
	state := State(t.Kind)
	if rank(state) < rank(Sent) {
		return
	}
	at := t.At
	if at.IsZero() || t.BadTime || at.After(t.Received.Add(24*time.Hour)) {
		at = t.Received
	}
	if was, ok := h.at[state]; !ok || at.Before(was) {
		h.at[state] = at
	}
	if state == Failed && len(t.Errors) > 0 {
		h.code = t.Errors[0].Code
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

func findWAMIDs(ctx context.Context, tx pgx.Tx, ws id.Workspace, told map[string][]Told, by map[subject]*heard, done *Applied) error {
	if len(told) == 0 {
		return nil
	}
	wamids := make([]string, 0, len(told))
	for w := range told {
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
		for _, t := range told[wamid] {
			hear(by, m, t, false)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find messages by Meta's id: %w", err)
	}
	for w, list := range told {
		if found[w] {
			continue
		}
		for _, t := range list {
			done.Unmatched[t.Event]++
		}
	}
	return nil
}

// sqlApply raises rows to what was heard. message_rank gives the order of the
// states; an echo lifts any row, other statuses only rows Meta already accepted.
// The run must be one of the number that the webhook was for, so that nobody
// can move another number's rows. Locked in order, as the claim does. What was
// heard travels along with the locked row (see sqlRecord).
const sqlApply = `
with x as (
    select a.*, r.portfolio_id
    from unnest($2::uuid[], $3::uuid[], $4::int[], $5::bool[], $6::text[], $7::timestamptz[], $8::timestamptz[],
        $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $14::jsonb[], $15::int[])
        as a(number_id, run_id, ordinal, echo, state, sent_at, delivered_at, read_at, played_at, failed_at, wamid, wa_id, pricing, code)
    join run r on r.workspace_id = $1 and r.id = a.run_id and r.number_id = a.number_id
    order by a.run_id, a.ordinal
    offset 0
), pick as (
    select x.*, m.was, m.had, m.drops, m.past, m.lost, m.rises
    from x
    cross join lateral (
        select m.state as was, m.wamid as had, h.drops and not h.past as drops, h.past,
            h.drops and not h.past and m.reason is distinct from 'meta_132015' as lost,
            message_rank(x.state) > message_rank(m.state)
                and (x.state not in ('accepted', 'failed') or m.state <> 'suppressed') and not h.drops and not h.past as rises
        from message m
        cross join lateral (
            select x.state = 'failed' and x.code = 132015 and m.state = 'held' as drops,
                x.state = 'failed' and m.dropped is not null and position(sha256(convert_to(x.wamid, 'UTF8')) in m.dropped) > 0 as past) h
        where m.run_id = x.run_id
          and m.ordinal = x.ordinal
          and m.workspace_id = $1
          and m.attempt > 0
          and (x.echo or message_rank(m.state) > 0)
        for update of m) m
)
update message m
set state = case when pick.rises then pick.state else m.state end,
    reason = case
        when pick.drops or pick.rises and pick.state = 'failed' then 'meta_' || pick.code
        when pick.rises then null
        else m.reason
    end,
    accepted_at = case when pick.past then m.accepted_at else coalesce(m.accepted_at, pick.sent_at, pick.delivered_at, pick.read_at, bareed_now()) end,
    sent_at = coalesce(m.sent_at, pick.sent_at),
    delivered_at = coalesce(m.delivered_at, pick.delivered_at),
    read_at = coalesce(m.read_at, pick.read_at),
    played_at = coalesce(m.played_at, pick.played_at),
    failed_at = case when pick.drops or pick.past then m.failed_at else coalesce(m.failed_at, pick.failed_at) end,
    wamid = case when pick.past then m.wamid else coalesce(m.wamid, nullif(pick.wamid, '')) end,
    wa_id = coalesce(m.wa_id, nullif(pick.wa_id, '')),
    pricing = coalesce(m.pricing, pick.pricing),
    meta_code = case when pick.code <> 0 and not pick.past then pick.code else m.meta_code end,
    not_before = case when pick.rises then null else m.not_before end,
    feed_after = case when pick.rises then null else m.feed_after end,
    resolved_by = case when pick.rises and pick.was in ('ready', 'sending', 'unknown', 'unconfirmed', 'suppressed')
        then 'echo' else m.resolved_by end,
    updated_at = bareed_now()
from pick
where m.run_id = pick.run_id
  and m.ordinal = pick.ordinal
returning m.run_id, m.ordinal, pick.number_id, pick.portfolio_id, m.contact_id, m.recipient_hash,
    pick.rises and pick.state in ('delivered', 'read', 'played') and message_rank(pick.was) < 4 as arrived,
    pick.lost or pick.rises and pick.state = 'failed' as failed,
    pick.echo,
    coalesce(pick.had <> nullif(pick.wamid, ''), false) and not pick.past as second,
    coalesce((
        select sw.open_until - interval '24 hours' < m.claimed_at
            and sw.open_until > coalesce(m.delivered_at, m.read_at, m.played_at)
        from service_window sw
        where sw.workspace_id = $1
          and sw.number_id = pick.number_id
          and sw.recipient_hash = m.recipient_hash
          and pick.rises), false) as windowed,
    pick.lost as dropped`

func writeHeard(ctx context.Context, tx pgx.Tx, ws id.Workspace, by map[subject]*heard, done *Applied) error {
	moved, err := pg.All(ctx, tx, "apply statuses", pgx.RowToStructByPos[movedRow], sqlApply, append([]any{ws}, columns(slices.Collect(maps.Values(by)))...)...)
	if err != nil {
		return err
	}
	done.Matched = len(moved)
	seen := make(map[subject]bool, len(moved))
	var echoed []id.Number
	var twice []id.Message
	for _, m := range moved {
		done.became(m, by[m.subject()])
		if m.Second || by[m.subject()].other != "" {
			twice = append(twice, m.subject().message)
		}
		seen[m.subject()] = true
		if m.Echo && !slices.Contains(echoed, m.Number) {
			echoed = append(echoed, m.Number)
		}
	}
	for key, h := range by {
		if h.echo && !seen[key] {
			done.Foreign++
		}
	}
	if err := noteEcho(ctx, tx, ws, echoed); err != nil {
		return err
	}
	if err := noteDropped(ctx, tx, ws, moved); err != nil {
		return err
	}
	if done.Twice, err = noteSecond(ctx, tx, ws, twice); err != nil {
		return err
	}
	return follow(ctx, tx, ws, moved, by)
}

// follow does what follows for others from rows that moved.
func follow(ctx context.Context, tx pgx.Tx, ws id.Workspace, moved []movedRow, by map[subject]*heard) error {
	if err := touch(ctx, tx, ws, moved); err != nil {
		return err
	}
	if err := stopOnFailures(ctx, tx, ws, moved, by); err != nil {
		return err
	}
	return movePlaces(ctx, tx, moved)
}

// became notes a message that a status ended, or that arrived.
func (a *Applied) became(m movedRow, h *heard) {
	switch {
	case m.Failed:
		a.Ended = append(a.Ended, Ended{Message: h.message, Contact: m.Contact, Number: m.Number, Hash: m.Hash, Code: h.code, At: h.at[Failed]})
	case m.Arrived && !slices.Contains(a.Arrived, m.Run):
		a.Arrived = append(a.Arrived, m.Run)
	}
}

type movedRow struct {
	Run       id.Run
	Ordinal   int32
	Number    id.Number
	Portfolio id.Portfolio
	Contact   id.Contact
	Hash      []byte
	Arrived   bool
	Failed    bool
	Echo      bool
	Second    bool // another message id of Meta's than the one known
	Windowed  bool // arrived in a service window that was open when it left: Meta does not count the person
	Dropped   bool // it was held, and Meta says it dropped it
}

func (m movedRow) subject() subject {
	return subject{id.Message{Run: m.Run, Ordinal: m.Ordinal}, m.Number}
}

func columns(all []*heard) []any {
	n := len(all)
	numbers := make([]id.Number, n)
	runs, ordinals, echoes, states := make([]id.Run, n), make([]int32, n), make([]bool, n), make([]string, n)
	times := map[State][]*time.Time{}
	for _, s := range []State{Sent, Delivered, Read, Played, Failed} {
		times[s] = make([]*time.Time, n)
	}
	wamids, waIDs, pricing, codes := make([]string, n), make([]string, n), make([]json.RawMessage, n), make([]int32, n)
	for i, h := range all {
		numbers[i] = h.number
		runs[i], ordinals[i], echoes[i], states[i] = h.message.Run, h.message.Ordinal, h.echo, string(h.state)
		for s, at := range h.at {
			times[s][i] = &at
		}
		wamids[i], waIDs[i], pricing[i], codes[i] = h.wamid, h.waID, h.pricing, int32(h.code)
	}
	return []any{numbers, runs, ordinals, echoes, states, times[Sent], times[Delivered], times[Read], times[Played], times[Failed],
		wamids, waIDs, pricing, codes}
}
