package board

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// PastStop is a stop that held a run for a while, or still does.
type PastStop struct {
	Scope  messages.Scope
	Reason string
	ByRule bool
	Since  time.Time
	Over   *time.Time // nil: still open
}

const sqlPastStops = `
select s.scope, s.reason, s.by_rule, s.since, least(s.cleared_at, s.until)
from run r
join stop s on s.workspace_id = r.workspace_id
    and s.scope_id = any (array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id, r.template_id, r.campaign_id, r.id])
where r.workspace_id = $1
  and r.id = $2
  and s.since <= $4
  and coalesce(least(s.cleared_at, s.until), 'infinity') >= $3
order by s.since desc
limit 50`

// PastStops lists what held a run between two times, the newest 50, newest first.
func PastStops(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run, from, to time.Time) ([]PastStop, error) {
	return pg.All(ctx, db, "list what held the run", pgx.RowToStructByPos[PastStop], sqlPastStops, ws, run, from, to)
}

// Passage is what the ledger holds of one message's way, beside its times. The
// wamid contains the phone number: show it only to those who see phones.
type Passage struct {
	PlannedAt  time.Time // when its run was made
	Purpose    string
	Attempt    int
	Refusals   int // attempts that Meta refused for now
	ClaimedAt  *time.Time
	ClaimedBy  string
	WAMID      string
	HTTPStatus int
	ResolvedBy string
	Consent    id.Consent // the entry that permitted it; zero for none
}

const sqlPassage = `
select r.created_at, r.purpose, m.attempt, m.tries, m.claimed_at, coalesce(m.claimed_by, ''), coalesce(m.wamid, ''),
    coalesce(m.http_status, 0), coalesce(m.resolved_by, ''), m.consent_id
from message m
join run r on r.workspace_id = m.workspace_id and r.id = m.run_id
where m.workspace_id = $1
  and m.run_id = $2
  and m.ordinal = $3`

// ReadPassage reads one message's way; not_found for any other.
func ReadPassage(ctx context.Context, db pg.DB, ws id.Workspace, m id.Message) (Passage, error) {
	return pg.One(ctx, db, "read the message's way", pgx.RowToStructByPos[Passage], sqlPassage, ws, m.Run, m.Ordinal)
}
