package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/plan"
	"bareed/internal/id"
	"bareed/messages"
)

// sqlFailed leaves the lease, so that the next try comes when it ends.
const sqlFailed = `
update plan_check
set failures = failures + 1,
    state = case when failures + 1 < $3 then state else 'failed' end,
    lease_until = case when failures + 1 < $3 then lease_until end,
    finished_at = case when failures + 1 < $3 then null else bareed_now() end
where workspace_id = $1
  and id = $2
  and state = 'running'
returning campaign_id, campaign_version, state = 'failed'`

const sqlJobFailed = `
update job
set state = 'failed', problem = '{"code": "campaign.check_failed"}', updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// sqlDraftAgain is the machine's step from checking, made without reading the
// campaign: it may be what cannot be read.
const sqlDraftAgain = `
update campaign
set state = 'draft', updated_at = bareed_now()
where workspace_id = $1
  and id = $2
  and version = $3
  and state = 'checking'
  and deleted_at is null`

// Failed notes that working a check out failed for a reason that is its
// own. After plan.Failures in a row the check is failed, its job says
// campaign.check_failed, and the campaign is a draft again.
func Failed(ctx context.Context, tx pgx.Tx, ws id.Workspace, check id.Check) error {
	var campaign id.Campaign
	var version int
	var over bool
	err := tx.QueryRow(ctx, sqlFailed, ws, check, plan.Failures).Scan(&campaign, &version, &over)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // it ended meanwhile
	}
	if err != nil {
		return fmt.Errorf("count a failure of the check: %w", err)
	}
	if !over {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlJobFailed, ws, check); err != nil {
		return fmt.Errorf("end the check that failed: %w", err)
	}
	tag, err := tx.Exec(ctx, sqlDraftAgain, ws, campaign, version)
	if err != nil {
		return fmt.Errorf("make the campaign a draft again: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil // edited or deleted meanwhile: this check is nobody's any more
	}
	return messages.CampaignEvent(ctx, tx, ws, campaign, "campaign.check_failed", map[string]any{"check": check})
}
