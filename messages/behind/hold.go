package behind

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

const (
	// Reason is that of the stops on every workspace: only an operator clears
	// them (bareed admin release).
	Reason = "database_behind"
	// PlanLost is the reason of the stop on a run whose people were messaged by a
	// plan that the database no longer has: who they were is not known.
	PlanLost = "plan_lost"
)

// Loss is what was noticed.
type Loss struct {
	Has  Mark // the database's
	Seen Mark // what it had been, as Redis says
}

// String is where the database ends and what it had come to, in no language.
func (l Loss) String() string {
	return l.Has.At.UTC().Format(time.DateTime) + " < " + l.Seen.At.UTC().Format(time.DateTime) + " UTC"
}

// sqlNoEvidence: a rule that trusts receipts may not judge when some of them
// were lost with the rest.
const sqlNoEvidence = `
update run
set unknown_policy = 'hold'
where workspace_id = $1
  and settled_at is null
  and unknown_policy = 'evidence'`

// Hold stops a workspace until an operator has looked, and ends sending again by
// evidence in its open runs. Again is harmless.
func Hold(ctx context.Context, tx pgx.Tx, ws id.Workspace, l Loss) (opened bool, err error) {
	opened, err = messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: messages.ScopeWorkspace, ScopeID: ws, ByRule: true,
		Reason: Reason, Threshold: "the database ends before what it had come to", Measured: l.String(), By: "system:leader"})
	if err != nil {
		return opened, err
	}
	if _, err := tx.Exec(ctx, sqlNoEvidence, ws); err != nil {
		return opened, fmt.Errorf("end sending again by evidence: %w", err)
	}
	return opened, nil
}

// Run is an open run, and how many of its people are planned.
type Run struct {
	Workspace id.Workspace
	ID        id.Run
	Planned   int32
}

const sqlRuns = `
select workspace_id, id, planned
from run
where settled_at is null
order by workspace_id, id`

// Runs lists every run that is not over, as engine.
func Runs(ctx context.Context, engine pg.DB) ([]Run, error) {
	return pg.All(ctx, engine, "find open runs", pgx.RowToStructByPos[Run], sqlRuns)
}

// chunk is how many messages Doubt takes in a transaction.
const chunk = 5000

// sqlDoubt: whatever was handed over may have been claimed and sent in what was
// lost. It gets the attempt that may have been, which nobody can answer any more;
// its receipt still can. What was put off beyond the end was not handed over; the
// two minutes are longer than the lease of one that was (messages.Candidates).
const sqlDoubt = `
with lost as (
    select run_id, ordinal
    from message
    where workspace_id = $1
      and run_id = $2
      and state = 'ready'
      and ordinal <= $3
      and (feed_after is null or feed_after <= $4::timestamptz + interval '2 minutes')
    order by run_id, ordinal
    limit $5
    for update
), moved as (
    update message m
    set state = 'unknown',
        attempt = least(m.attempt + 1, 32767),
        claim_token = gen_random_uuid(),
        claimed_by = 'system:leader',
        claimed_at = bareed_now(),
        claim_deadline = bareed_now(),
        not_before = null,
        feed_after = null,
        updated_at = bareed_now()
    from lost
    where m.run_id = lost.run_id
      and m.ordinal = lost.ordinal
      and m.state = 'ready'
    returning m.ordinal, m.attempt, m.claim_token
)
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome, detail)
select $1, $2, ordinal, attempt, claim_token, 'expired', 'database_behind'
from moved`

// sqlHandedOver puts the cursor where it was.
const sqlHandedOver = `
update run
set fed = greatest(fed, least($3, planned))
where workspace_id = $1
  and id = $2`

// Doubt makes everything that a run had handed over and does not know to be sent
// unknown: settled by its receipt, else listed for a person, never sent again by
// itself. It does a chunk and returns how many; call it, each time in a
// transaction of its own, until it says 0.
func Doubt(ctx context.Context, tx pgx.Tx, r Run, reached int32, end time.Time) (int, error) {
	tag, err := tx.Exec(ctx, sqlDoubt, r.Workspace, r.ID, reached, end, chunk)
	if err != nil {
		return 0, fmt.Errorf("doubt what was handed over: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlHandedOver, r.Workspace, r.ID, reached); err != nil {
		return 0, fmt.Errorf("put the feed cursor back: %w", err)
	}
	if reached > r.Planned {
		_, err = messages.OpenStop(ctx, tx, r.Workspace, messages.Opening{Scope: messages.ScopeRun, ScopeID: r.ID, ByRule: true, Reason: PlanLost,
			Threshold: "more people handed over than planned", Measured: fmt.Sprintf("%d > %d", reached, r.Planned), By: "system:leader"})
	}
	return int(tag.RowsAffected()), err
}

const sqlHeld = `
select count(*)
from stop
where reason = $1
  and cleared_at is null`

// Held counts the workspaces that are held for it, as engine.
func Held(ctx context.Context, engine pg.DB) (n int64, err error) {
	if err := engine.QueryRow(ctx, sqlHeld, Reason).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the workspaces held: %w", err)
	}
	return n, nil
}
