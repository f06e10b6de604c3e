package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Scope says how far a stop reaches.
type Scope string

// The scopes of stops, widest first.
const (
	ScopeWorkspace Scope = "workspace"
	ScopePortfolio Scope = "portfolio"
	ScopeWABA      Scope = "waba"
	ScopeNumber    Scope = "number"
	ScopeTemplate  Scope = "template"
	ScopeCampaign  Scope = "campaign"
	ScopeRun       Scope = "run"
)

// Paused is the reason of a person's stop on a campaign.
const Paused = "paused"

// PlanFailed is the reason of the stop on a run whose planning failed too often
// in a row: nobody tries again until a person clears it.
const PlanFailed = "plan_failed"

// Opening describes a stop to open.
type Opening struct {
	Scope     Scope
	ScopeID   [16]byte
	Reason    string
	ByRule    bool // false: a person's
	Threshold string
	Measured  string
	Until     *time.Time    // ends by itself then; nil: a person clears it
	For       time.Duration // instead of Until: ends by itself after this, by the database's clock
	Code      *int          // Meta's, of the answer or status that calls for it
	By        string        // usr_…, key_…, system:<part>
}

// Stop is a stop as it stands.
type Stop struct {
	ID        id.Stop    `db:"id"`
	Scope     Scope      `db:"scope"`
	ScopeID   [16]byte   `db:"scope_id"`
	Reason    string     `db:"reason"`
	ByRule    bool       `db:"by_rule"`
	Threshold string     `db:"threshold"`
	Measured  string     `db:"measured"`
	Code      *int       `db:"meta_code"`
	Since     time.Time  `db:"since"`
	Until     *time.Time `db:"until"`
	OpenedBy  string     `db:"opened_by"`
	ClearedAt *time.Time `db:"cleared_at"`
	ClearedBy *string    `db:"cleared_by"`
}

// sqlCloseOver ends a stop that ran out, so that the same reason can open anew.
const sqlCloseOver = `
update stop
set cleared_at = until, cleared_by = 'system:time'
where workspace_id = $1
  and scope_id = $2
  and reason = $3
  and cleared_at is null
  and until <= bareed_now()`

const sqlOpenStop = `
insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, threshold, measured, until, opened_by, meta_code)
values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, bareed_now() + $12::interval), $10, $11)
on conflict (workspace_id, scope_id, reason) where cleared_at is null
do update set
    until = case when stop.until is not null and excluded.until is not null then greatest(stop.until, excluded.until) end,
    measured = excluded.measured
returning xmax = 0, until`

// OpenStop opens a stop, or keeps the one that is open for the same scope and
// reason (its end then is the later of both, and none if one of them has none). From the commit on, at most one
// POST per worker slot can still leave in that scope. It tells the campaigns it
// holds, in their event streams, when it opened something new.
func OpenStop(ctx context.Context, tx pgx.Tx, ws id.Workspace, o Opening) (opened bool, err error) {
	if _, err := tx.Exec(ctx, sqlCloseOver, ws, o.ScopeID, o.Reason); err != nil {
		return false, fmt.Errorf("end the stop that ran out: %w", err)
	}
	var limited *time.Duration
	if o.For > 0 {
		limited = &o.For
	}
	err = tx.QueryRow(ctx, sqlOpenStop, ws, id.New[id.Stop](), o.Scope, o.ScopeID, o.Reason, o.ByRule,
		o.Threshold, o.Measured, o.Until, o.By, o.Code, limited).Scan(&opened, &o.Until)
	if err != nil {
		return false, fmt.Errorf("open a stop: %w", err)
	}
	if !opened {
		return false, nil
	}
	event := "campaign.holding"
	if !o.ByRule {
		event = "campaign.paused"
	}
	data := map[string]any{"scope": o.Scope, "reason": o.Reason, "threshold": o.Threshold, "measured": o.Measured, "until": o.Until}
	if o.Code != nil {
		data["meta_code"] = *o.Code
	}
	return true, TellCampaigns(ctx, tx, ws, o.ScopeID, event, data)
}

// Clearing names the stops to clear: those of one scope, and of one reason
// unless Reason is empty. PersonsOnly leaves the rules' stops open.
type Clearing struct {
	ScopeID     [16]byte
	Reason      string
	PersonsOnly bool
	By          string
}

const sqlClearStops = `
update stop
set cleared_at = bareed_now(), cleared_by = $5
where workspace_id = $1
  and scope_id = $2
  and cleared_at is null
  and ($3 = '' or reason = $3)
  and not ($4 and by_rule)`

// ClearStops clears stops and returns how many; clearing one never clears another.
func ClearStops(ctx context.Context, tx pgx.Tx, ws id.Workspace, c Clearing) (int, error) {
	tag, err := tx.Exec(ctx, sqlClearStops, ws, c.ScopeID, c.Reason, c.PersonsOnly, c.By)
	if err != nil {
		return 0, fmt.Errorf("clear stops: %w", err)
	}
	n := int(tag.RowsAffected())
	if n == 0 {
		return 0, nil
	}
	return n, TellCampaigns(ctx, tx, ws, c.ScopeID, "campaign.stop_cleared", map[string]any{"reason": c.Reason, "cleared": n})
}

const sqlOpenStops = `
select id, scope, scope_id, reason, by_rule, threshold, measured, meta_code, since, until, opened_by, cleared_at, cleared_by
from stop
where workspace_id = $1
  and scope_id = any ($2)
  and cleared_at is null
  and (until is null or until > bareed_now())
order by since, id`

// OpenStops lists the stops open on any of the scopes, oldest first.
func OpenStops(ctx context.Context, db pg.DB, ws id.Workspace, scopes ...[16]byte) ([]Stop, error) {
	return pg.All(ctx, db, "list stops", pgx.RowToStructByName[Stop], sqlOpenStops, ws, scopes)
}
