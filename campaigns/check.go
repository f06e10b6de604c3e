package campaigns

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/messages"
)

const sqlOpenCheck = `
select id
from plan_check
where workspace_id = $1
  and campaign_id = $2
  and campaign_version = $3
  and state in ('waiting', 'running')`

const sqlInsertCheck = `
with c as (
    insert into plan_check (workspace_id, id, campaign_id, campaign_version)
    values ($1, $2, $3, $4))
insert into job (workspace_id, id, kind, subject)
values ($1, $2, 'check', $5)`

// RequestCheck asks for a check of the campaign as it is now. One that is under
// way already is the answer to a second request.
func RequestCheck(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign) (id.Check, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return id.Check{}, err
	}
	if c.State != Draft && c.State != Checking {
		return id.Check{}, c.stateError()
	}
	if c.State == Checking {
		var open id.Check
		err := tx.QueryRow(ctx, sqlOpenCheck, a.Workspace, campaign, c.Version).Scan(&open)
		if err == nil {
			return open, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return open, fmt.Errorf("look for a check under way: %w", err)
		}
	}
	check := id.New[id.Check]()
	if _, err := tx.Exec(ctx, sqlInsertCheck, a.Workspace, check, campaign, c.Version, check.String()); err != nil {
		return check, fmt.Errorf("ask for a check: %w", err)
	}
	if c.State == Draft {
		if err := c.move(ctx, tx, a.Workspace, Checking); err != nil {
			return check, err
		}
	}
	return check, record(ctx, tx, a, campaign, "campaign.check_requested", map[string]any{"check": check})
}

// Checked takes note that a check of a version of the campaign is complete: it
// is a draft again if it is still that version.
func Checked(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, version int, figures map[string]any) error {
	c, err := lock(ctx, tx, ws, campaign)
	if err != nil {
		return err
	}
	if c.State == Checking && c.Version == version {
		if err := c.move(ctx, tx, ws, Draft); err != nil {
			return err
		}
	}
	return messages.CampaignEvent(ctx, tx, ws, campaign, "campaign.checked", figures)
}
