package occurrence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/messages"
)

const sqlFiring = `
select starts_at, coalesce(send_zone, ''), send_local, bareed_now()
from run
where workspace_id = $1
  and id = $2`

const sqlWaits = `
select exists (
    select from run
    where workspace_id = $1
      and campaign_id = $2
      and state = 'planning'
      and kind = 'campaign'
      and id <> $3)`

// sqlFollow makes a run like the one before it. What was approved at the launch
// stays: a template that was changed since is held by its hash. The key of the
// written time makes a second firing impossible, whoever tries.
const sqlFollow = `
insert into run (workspace_id, id, campaign_id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id,
    template_id, template, components_hash, variables, unknown_policy, per_minute, finish_within, expected, starts_at, ended_at, reason,
    transport, product_policy, activity_sharing)
select workspace_id, $3, campaign_id, $4, kind, $5, purpose, number_id, waba_id, portfolio_id,
    template_id, template, components_hash, variables, unknown_policy, case when finish_within is null then per_minute end, finish_within, expected, $6,
    case when $5 = 'missed' then bareed_now() end, nullif($7, ''),
    transport, product_policy, activity_sharing
from run
where workspace_id = $1
  and id = $2
on conflict (workspace_id, campaign_id, occurrence_key) do nothing`

const sqlSetNext = `
update campaign
set send_at = $3, send_zone = nullif($4, ''), send_local = $5, updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// Next makes the run that waits for the firing after a run's own; false when there
// is none. Firings whose time has passed are noted as missed: those too late with
// why, and of those in time all but the last, so that nobody gets two at once.
// The caller holds the campaign's row.
func Next(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, run id.Run, r *schedule.Rules, why string) (bool, error) {
	if r == nil || r.Recurring == nil {
		return false, nil
	}
	var waits bool
	if err := tx.QueryRow(ctx, sqlWaits, ws, campaign, run).Scan(&waits); err != nil || waits {
		return waits, wrap(err)
	}
	var at, now time.Time
	var zone string
	var local *time.Time
	err := tx.QueryRow(ctx, sqlFiring, ws, run).Scan(&at, &zone, &local, &now)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, wrap(err)
	}
	f := follower{ws: ws, campaign: campaign, before: run, rules: r}
	t, ok := r.Next(r.Stored(at, zone, local))
	for missed := 0; ok; missed++ {
		after, more := r.Next(t)
		late := t.Last().Add(r.Lateness()).Before(now)
		superseded := more && !after.At.After(now)
		if missed == atOnce || !late && !superseded {
			return true, f.wait(ctx, tx, t)
		}
		reason := why
		if !late {
			reason = Superseded
		}
		if err := f.miss(ctx, tx, t, reason); err != nil {
			return false, err
		}
		t, ok = after, more
	}
	return false, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("find the next firing: %w", err)
}

// follower makes runs after one of a campaign.
type follower struct {
	ws       id.Workspace
	campaign id.Campaign
	before   id.Run
	rules    *schedule.Rules
}

// insert makes a run of a firing; false when that firing has one already.
func (f follower) insert(ctx context.Context, tx pgx.Tx, t schedule.Time, state, reason string) (id.Run, bool, error) {
	run := id.New[id.Run]()
	tag, err := tx.Exec(ctx, sqlFollow, f.ws, f.before, run, t.Occurrence(), state, t.At, reason)
	if err != nil {
		return run, false, fmt.Errorf("make the next run: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return run, false, nil
	}
	return run, true, Arrange(ctx, tx, f.ws, run, &t, f.rules)
}

func (f follower) miss(ctx context.Context, tx pgx.Tx, t schedule.Time, reason string) error {
	run, made, err := f.insert(ctx, tx, t, "missed", reason)
	if err != nil || !made {
		return err
	}
	return messages.CampaignEvent(ctx, tx, f.ws, f.campaign, "campaign.missed",
		map[string]any{"run": run, "starts_at": t.At, "reason": reason})
}

func (f follower) wait(ctx context.Context, tx pgx.Tx, t schedule.Time) error {
	run, made, err := f.insert(ctx, tx, t, "planning", "")
	if err != nil || !made {
		return err
	}
	if _, err := tx.Exec(ctx, sqlSetNext, f.ws, f.campaign, t.At, t.Zone, t.Wall()); err != nil {
		return fmt.Errorf("note the next firing: %w", err)
	}
	return messages.CampaignEvent(ctx, tx, f.ws, f.campaign, "campaign.scheduled", map[string]any{"run": run, "starts_at": t.At})
}

const sqlMissed = `
update run
set reason = $3
where workspace_id = $1
  and id = $2`

// Missed notes why a run was missed.
func Missed(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, reason string) error {
	if _, err := tx.Exec(ctx, sqlMissed, ws, run, reason); err != nil {
		return fmt.Errorf("note why the run was missed: %w", err)
	}
	return nil
}
