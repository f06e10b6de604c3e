package caps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// SendingRules is the sending rules of a workspace as they stand.
type SendingRules struct {
	SendingSettings
	CountedFrom *time.Time `json:"counted_from,omitempty" doc:"Since when messages count for the frequency rules: campaigns planned before do not"`
	Operator    []string   `json:"operator_countries" doc:"Countries that the operator of this service blocks for everybody"`
	Version     int        `json:"version" doc:"Also in the ETag; 0: nothing was ever set"`
	UpdatedBy   string     `json:"updated_by,omitempty"`
	UpdatedAt   *time.Time `json:"updated_at,omitempty"`
}

const sqlRead = `
select frequency, cool_off_hours, blocked_countries, counted_from, version, updated_by, updated_at
from sending_rule
where workspace_id = $1`

// Read reads the sending rules of a workspace; operator are the countries that its
// operator blocks.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, operator []string) (SendingRules, error) {
	r := SendingRules{SendingSettings: Default(), Operator: append([]string{}, operator...)}
	err := db.QueryRow(ctx, sqlRead, ws).
		Scan(&r.Frequency, &r.CoolOffHours, &r.BlockedCountries, &r.CountedFrom, &r.Version, &r.UpdatedBy, &r.UpdatedAt)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return r, fmt.Errorf("read the sending rules: %w", err)
	}
	return r, nil
}

// sqlPut: turns are kept from the first frequency rule on, and no longer without
// any.
const sqlPut = `
insert into sending_rule (workspace_id, frequency, cool_off_hours, blocked_countries, counted_from, updated_by)
values ($1, $2, $3, $4, case when $5 then bareed_now() end, $6)
on conflict (workspace_id) do update
set frequency = excluded.frequency,
    cool_off_hours = excluded.cool_off_hours,
    blocked_countries = excluded.blocked_countries,
    counted_from = case when $5 then coalesce(sending_rule.counted_from, bareed_now()) end,
    version = sending_rule.version + 1,
    updated_by = excluded.updated_by,
    updated_at = bareed_now()
where sending_rule.version = $7
returning version`

// Put sets the sending rules in place of what was set; was is what the caller
// read, version.stale if somebody was faster. They hold for whoever is planned
// from the commit on. It needs a role that may override stops.
func Put(ctx context.Context, tx pgx.Tx, a accounts.Actor, was SendingRules, s SendingSettings) (SendingRules, error) {
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return was, err
	}
	s, err := s.Check()
	if err != nil {
		return was, err
	}
	var version int
	err = tx.QueryRow(ctx, sqlPut, a.Workspace, s.Frequency, s.CoolOffHours, s.BlockedCountries, len(s.Frequency) > 0, a.String(), was.Version).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && version != was.Version+1 {
		return was, errs.New("version.stale")
	}
	if err != nil {
		return was, fmt.Errorf("write the sending rules: %w", err)
	}
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "sending_rules.changed", Subject: a.Workspace.String(),
		Detail: map[string]any{"before": was.SendingSettings, "after": s}})
	if err != nil {
		return was, err
	}
	return Read(ctx, tx, a.Workspace, was.Operator)
}

// Blocked tells whether nothing goes to a country: by the workspace's list or its
// operator's.
func (r SendingRules) Blocked(country string) bool {
	return country != "" && (slices.Contains(r.BlockedCountries, country) || slices.Contains(r.Operator, country))
}
