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
	Limits    map[string]breaker.Range `json:"limits" doc:"What the operator permits of each threshold."`
	Version   int                      `json:"version" doc:"Also in the ETag; 0: nothing was ever set here."`
	UpdatedBy string                   `json:"updated_by,omitempty"`
	UpdatedAt *time.Time               `json:"updated_at,omitempty"`
}

const sqlSettings = `
select subject_id, settings, version, updated_by, updated_at
from breaker_setting
where workspace_id = $1
  and subject_id in ($1, $2)`

// ReadRules reads what holds for a campaign, or for the workspace when campaign is zero.
func ReadRules(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, limits breaker.Limits) (Breaker, error) {
	r := Breaker{Limits: limits.All()}
	subject := subjectOf(ws, campaign)
	rows, err := db.Query(ctx, sqlSettings, ws, subject)
	if err != nil {
		return r, fmt.Errorf("read the breaker's settings: %w", err)
	}
	var of [16]byte
	var one Breaker
	var widest breaker.Thresholds
	_, err = pgx.ForEachRow(rows, []any{&of, &one.Settings, &one.Version, &one.UpdatedBy, &one.UpdatedAt}, func() error {
		if of == subject {
			r.Settings, r.Version, r.UpdatedBy, r.UpdatedAt = one.Settings, one.Version, one.UpdatedBy, one.UpdatedAt
		} else {
			widest = one.Settings
		}
		one = Breaker{}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("read the breaker's settings: %w", err)
	}
	r.Policy = limits.Resolve(widest, r.Settings)
	return r, nil
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
// version.stale if somebody was faster. It needs a role that may override stops,
// and holds for runs under way from the next second on.
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
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "breaker.changed", Subject: subject,
		Detail: map[string]any{"before": was.Settings, "after": s}})
	if err != nil {
		return was, err
	}
	return ReadRules(ctx, tx, a.Workspace, campaign, limits)
}
