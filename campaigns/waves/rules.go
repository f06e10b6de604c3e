// Package waves owns how far a run may go before a gate has looked at how it
// does: the waves of a run, the measuring that the breaker's rules are held
// against, the stops they open, and the settings of a workspace and a campaign.
//
// The scheduler calls Begin when a run begins and Tick every second while it
// runs; api and web show and change it. The thresholds and verdicts are
// campaigns/breaker's. It must not know HTTP, the queue or Meta.
package waves

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Breaker is the breaker's policy of a workspace or of one campaign.
type Breaker struct {
	Settings  breaker.Thresholds       `json:"settings" doc:"What is set here; the rest is the workspace's, or the default."`
	Policy    breaker.Policy           `json:"policy" doc:"What is in force."`
	RunID     id.Run                   `json:"run_id,omitzero" doc:"The campaign's run under way. Of the workspace's policy it goes by what held when it began and what became stricter since."`
	Limits    map[string]breaker.Range `json:"limits" doc:"What the operator permits of each threshold."`
	Optional  []string                 `json:"optional" doc:"The rules that the operator permits to be switched off."`
	Changes   map[string]RuleChange    `json:"changes" doc:"The last change of each setting that was ever changed here."`
	Version   int                      `json:"version" doc:"Also in the ETag; 0: nothing was ever set here."`
	UpdatedBy string                   `json:"updated_by,omitempty"`
	UpdatedAt *time.Time               `json:"updated_at,omitempty"`
}

const sqlUnderway = `
select id
from run
where workspace_id = $1
  and campaign_id = $2
  and kind = 'campaign'
  and state in ('running', 'finishing')
order by id desc
limit 1`

// ReadRules reads what holds for a campaign, or for the workspace when campaign is
// zero, and who last changed what.
func ReadRules(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, limits breaker.Limits) (Breaker, error) {
	r := Breaker{Limits: limits.All(), Optional: append([]string{}, limits.Optional...)}
	widest, own, err := readSettings(ctx, db, ws, campaign)
	if err != nil {
		return r, err
	}
	here := own
	if campaign.IsZero() {
		here = widest
	}
	r.Settings, r.Version, r.UpdatedBy, r.UpdatedAt = here.Settings, here.Version, here.UpdatedBy, here.UpdatedAt
	r.Policy = limits.Resolve(widest.Settings, own.Settings)
	if !campaign.IsZero() {
		err := db.QueryRow(ctx, sqlUnderway, ws, campaign).Scan(&r.RunID)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return r, fmt.Errorf("look for the campaign's run: %w", err)
		}
	}
	if !r.RunID.IsZero() {
		f, err := readInForce(ctx, db, ws, campaign, r.RunID, limits)
		if err != nil {
			return r, err
		}
		r.Policy = f.policy
	}
	r.Changes, err = readChanges(ctx, db, ws, subjectOf(ws, campaign))
	return r, err
}

func subjectOf(ws id.Workspace, campaign id.Campaign) [16]byte {
	if campaign.IsZero() {
		return ws
	}
	return campaign
}

const sqlPutSettings = `
insert into breaker_setting (workspace_id, subject_id, settings, updated_by)
values ($1, $2, $3, $4)
on conflict (workspace_id, subject_id) do update
set settings = excluded.settings, version = breaker_setting.version + 1, updated_by = excluded.updated_by, updated_at = bareed_now()
where breaker_setting.version = $5
returning version`

// PutRules sets the breaker's policy of a campaign, or of the workspace when
// campaign is zero, in place of what was set there. was is what the caller read;
// version.stale if somebody was faster. It needs a role that may override stops. Of
// runs under way, what is set for their campaign holds from the next second on;
// what is set for the workspace only where it is stricter than what they began with.
func PutRules(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, was Breaker, s breaker.Thresholds, limits breaker.Limits) (Breaker, error) {
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return was, err
	}
	if err := limits.Check(s); err != nil {
		return was, err
	}
	var version int
	err := tx.QueryRow(ctx, sqlPutSettings, a.Workspace, subjectOf(a.Workspace, campaign), s, a.String(), was.Version).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && version != was.Version+1 {
		return was, errs.New("version.stale")
	}
	if err != nil {
		return was, fmt.Errorf("write the breaker's settings: %w", err)
	}
	subject := a.Workspace.String()
	if !campaign.IsZero() {
		subject = campaign.String()
	}
	if err := noteChanges(ctx, tx, a, subjectOf(a.Workspace, campaign), was.Settings, s); err != nil {
		return was, err
	}
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "breaker.changed", Subject: subject,
		Detail: map[string]any{"before": was.Settings, "after": s}})
	if err != nil {
		return was, err
	}
	return ReadRules(ctx, tx, a.Workspace, campaign, limits)
}
