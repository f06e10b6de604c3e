package messages

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/whatsapp"
)

// Result is what came of one claim.
type Result struct {
	Message   id.Message
	Token     uuid.UUID
	Attempt   int
	Hash      []byte // of the recipient
	Portfolio id.Portfolio
	Outcome   string // whatsapp's six, or GivenBack
	State     State  // the row's next state: Accepted, Held, Ready, Failed or Unknown
	Reason    string // of Failed, and of Held if it is not the assessment
	WAMID     string
	WaID      string
	HTTP      int
	Code      int
	Trace     string        // Meta's fbtrace_id
	Again     time.Duration // for Ready: not before this long from now
}

// GivenBack is the outcome of a claim whose moment had passed: nothing was sent.
// It leaves no line among the attempts: a slow database would be given more to
// write for being slow. The row's number of attempts counts it.
const GivenBack = "given_back"

// ResultOf turns Meta's answer to a claim into the row's next state.
func ResultOf(c Claim, a whatsapp.SendResult) Result {
	r := Result{Message: c.Message, Token: c.Token, Attempt: c.Attempt, Hash: c.Hash, Portfolio: c.Portfolio,
		Outcome: string(a.Outcome), HTTP: a.HTTPStatus, Code: a.Code, Trace: a.FBTraceID}
	switch a.Outcome {
	case whatsapp.Accepted:
		r.State, r.WAMID, r.WaID = Accepted, a.WAMID.Raw(), a.WaID
		switch a.Status {
		case whatsapp.StatusHeld:
			r.State = Held
		case whatsapp.StatusPaused:
			r.State, r.Reason = Held, PausedByMeta
		}
	case whatsapp.NeverLeft:
		r.State, r.Again = Ready, time.Second
	case whatsapp.RefusedForNow:
		r.State, r.Again = Ready, max(a.RetryAfter, backoff(a.Code, c.Tries+1))
	case whatsapp.StopSending:
		r.State, r.Again = Ready, time.Second
	case whatsapp.RefusedForGood:
		r.State, r.Reason = Failed, fmt.Sprintf("meta_%d", a.Code)
	default:
		r.State = Unknown
	}
	return r
}

// Return makes the result of a claim that was not used.
func Return(c Claim) Result {
	return Result{Message: c.Message, Token: c.Token, Attempt: c.Attempt, Hash: c.Hash, Portfolio: c.Portfolio,
		Outcome: GivenBack, State: Ready}
}

// backoff is how long a message waits after its nth refusal for now; a claim
// that was given back unused is none. The pair limit is the person's own: 4^n
// seconds as Meta asks, 6 s at least. For throughput the limiter slows the whole
// number, so the message itself needs little: a second at first, a minute at most.
// Up to a quarter more at random, or those who were refused together would come
// again together.
func backoff(code, n int) time.Duration {
	n = min(max(n, 1), 7)
	wait := min(time.Duration(1<<(n-1))*time.Second, time.Minute)
	if code == whatsapp.CodePairRate {
		wait = max(6*time.Second, min(time.Duration(1<<(2*n))*time.Second, time.Minute))
	}
	return wait + rand.N(wait/4)
}

// sqlRecord is conditional on the claim's token: a late worker can add what it
// knows, never overwrite a newer claim. A row that an echo or a status has
// moved on keeps its state and gains only what is missing. What was learned
// travels along with the locked row: joined anew, without hashing, the list would
// be read once for every row of it. An answer with another message id than the
// one an echo brought means that Meta accepted two requests: see noteSecond. A claim that comes back unused after its
// deadline leaves a line, because the one that says it expired would else stand
// there as if its request may have left.
const sqlRecord = `
with x as (
    select a.run_id, a.ordinal, a.token, a.state, a.reason, a.wamid, a.wa_id, a.http, a.code, a.again
    from unnest($2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::smallint[], $10::int[], $11::interval[])
        as a(run_id, ordinal, token, state, reason, wamid, wa_id, http, code, again)
    order by a.run_id, a.ordinal
    offset 0
), pick as (
    select x.run_id, x.ordinal, x.state, x.reason, x.wamid, x.wa_id, x.http, x.code, x.again, m.was, m.had, m.moves
    from x
    cross join lateral (
        select m.state as was, m.wamid as had,
            m.state in ('sending', 'unknown') or (m.state = 'unconfirmed' and x.state in ('accepted', 'held', 'failed')) as moves
        from message m
        where m.run_id = x.run_id
          and m.ordinal = x.ordinal
          and m.workspace_id = $1
          and m.claim_token = x.token
        for update) m
), moved as (
    update message m
    set state = case when pick.moves then pick.state else m.state end,
        reason = case when pick.moves then nullif(pick.reason, '') else m.reason end,
        wamid = coalesce(nullif(pick.wamid, ''), m.wamid),
        wa_id = coalesce(nullif(pick.wa_id, ''), m.wa_id),
        http_status = nullif(pick.http, 0),
        meta_code = coalesce(nullif(pick.code, 0), m.meta_code),
        tries = m.tries + case when pick.moves and pick.state = 'ready' and pick.code <> 0 then 1 else 0 end,
        not_before = case when not pick.moves then m.not_before when pick.state = 'ready' then bareed_now() + pick.again end,
        feed_after = case when not pick.moves then m.feed_after when pick.state = 'ready' then bareed_now() + pick.again end,
        accepted_at = case when pick.state in ('accepted', 'held') then coalesce(m.accepted_at, bareed_now()) else m.accepted_at end,
        held_at = case when pick.state = 'held' then coalesce(m.held_at, bareed_now()) else m.held_at end,
        failed_at = case when pick.moves and pick.state = 'failed' then coalesce(m.failed_at, bareed_now()) else m.failed_at end,
        resolved_by = case when pick.moves and pick.was <> 'sending' then 'answer' else m.resolved_by end,
        updated_at = bareed_now()
    from pick
    where m.run_id = pick.run_id
      and m.ordinal = pick.ordinal
    returning m.run_id, m.ordinal, m.attempt, m.claim_token, pick.had <> nullif(pick.wamid, '') as second,
        pick.moves and pick.was = 'unknown' and pick.state = 'ready' and pick.http = 0 as unused
)
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
select $1, run_id, ordinal, attempt, claim_token, case when second then 'second_acceptance' else 'given_back' end
from moved
where second or unused`

const sqlRecordAttempts = `
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome, http_status, meta_code, fbtrace_id)
select $1, x.run_id, x.ordinal, x.attempt, x.token, x.outcome, nullif(x.http, 0), nullif(x.code, 0), x.trace
from unnest($2::uuid[], $3::int[], $4::smallint[], $5::uuid[], $6::text[], $7::smallint[], $8::int[], $9::text[])
    as x(run_id, ordinal, attempt, token, outcome, http, code, trace)`

// Record writes what came of claims. Losing it is no harm to anybody: the
// deadline turns the rows unknown, and the echo resolves them.
func Record(ctx context.Context, tx pgx.Tx, ws id.Workspace, results []Result) error {
	b := &pgx.Batch{}
	queueRecord(b, ws, results)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record answers: %w", err)
	}
	return nil
}

// RecordAlone is Record in a transaction of its own, in one round trip. It is
// tried again by the caller: writing the same results twice changes nothing but
// a second line among the attempts.
func RecordAlone(ctx context.Context, pool *pg.Pool, ws id.Workspace, results []Result) error {
	b := &pgx.Batch{}
	b.Queue(`begin`)
	b.Queue(pg.SQLLedger, ws)
	queueRecord(b, ws, results)
	b.Queue(`commit`)
	if err := runBatch(ctx, pool, b); err != nil {
		return fmt.Errorf("record answers: %w", err)
	}
	return nil
}

func queueRecord(b *pgx.Batch, ws id.Workspace, results []Result) {
	n := len(results)
	runs, ordinals, tokens := make([]id.Run, n), make([]int32, n), make([][16]byte, n)
	states, reasons, wamids, waIDs := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	https, codes, again := make([]int16, n), make([]int32, n), make([]time.Duration, n)
	var other []Result
	for i, r := range results {
		runs[i], ordinals[i], tokens[i] = r.Message.Run, r.Message.Ordinal, r.Token
		states[i], reasons[i], wamids[i], waIDs[i] = string(r.State), r.Reason, r.WAMID, r.WaID
		https[i], codes[i], again[i] = int16(r.HTTP), int32(r.Code), r.Again
		if r.State != Accepted && r.Outcome != GivenBack {
			other = append(other, r)
		}
	}
	b.Queue(sqlRecord, ws, runs, ordinals, tokens, states, reasons, wamids, waIDs, https, codes, again)
	if len(other) > 0 {
		queueAttempts(b, ws, other)
		var failed []id.Message
		for _, r := range other {
			if r.State == Failed {
				failed = append(failed, r.Message)
			}
		}
		queueFreePlaces(b, ws, failed)
	}
}

func queueAttempts(b *pgx.Batch, ws id.Workspace, results []Result) {
	n := len(results)
	runs, ordinals, attempts, tokens := make([]id.Run, n), make([]int32, n), make([]int16, n), make([][16]byte, n)
	outcomes, https, codes, traces := make([]string, n), make([]int16, n), make([]int32, n), make([]string, n)
	for i, r := range results {
		runs[i], ordinals[i], attempts[i], tokens[i] = r.Message.Run, r.Message.Ordinal, int16(r.Attempt), r.Token
		outcomes[i], https[i], codes[i], traces[i] = r.Outcome, int16(r.HTTP), int32(r.Code), r.Trace
	}
	b.Queue(sqlRecordAttempts, ws, runs, ordinals, attempts, tokens, outcomes, https, codes, traces)
}
