package occurrence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/messages"
)

const sqlWaiting = `
select c.send_at, coalesce(c.send_zone, ''), c.send_local, c.schedule, c.max_lateness, r.id
from campaign c
join run r on r.workspace_id = c.workspace_id and r.campaign_id = c.id
where c.workspace_id = $1
  and c.id = $2
  and c.state = 'scheduled'
  and c.send_local is not null
  and r.state = 'planning'
  and r.starts_at > bareed_now()
order by r.id desc
limit 1
for update of c`

const sqlSetSendAt = `
update campaign
set send_at = $3, updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// Rezone computes the instant of a waiting firing anew: the written time counts,
// and a country may have changed its clocks since. What moved is in the audit.
func Rezone(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) (moved bool, err error) {
	var at time.Time
	var zone string
	var local *time.Time
	var r *schedule.Rules
	var lateness time.Duration
	var run id.Run
	err = tx.QueryRow(ctx, sqlWaiting, ws, campaign).Scan(&at, &zone, &local, &r, &lateness, &run)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the waiting firing: %w", err)
	}
	t := r.Stored(at, zone, local).Again()
	if t.At.Equal(at) {
		return false, nil
	}
	if _, err := tx.Exec(ctx, sqlSetSendAt, ws, campaign, t.At); err != nil {
		return false, fmt.Errorf("move the firing: %w", err)
	}
	if err := Arrange(ctx, tx, ws, run, &t, r); err != nil {
		return false, err
	}
	detail := map[string]any{"run": run, "zone": zone, "local": t.Local, "was": at.UTC(), "now": t.At}
	err = accounts.Audit(ctx, tx, accounts.System(ws, "schedule"), accounts.Deed{Action: "campaign.rescheduled", Subject: campaign.String(), Detail: detail})
	if err != nil {
		return false, err
	}
	return true, messages.CampaignEvent(ctx, tx, ws, campaign, "campaign.rescheduled", detail)
}
