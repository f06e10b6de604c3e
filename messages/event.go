package messages

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// sqlCampaignEvent takes the next number from the campaign's row, whose lock
// makes the sequence free of gaps and of disorder.
const sqlCampaignEvent = `
with c as (
    update campaign
    set event_sequence = event_sequence + 1
    where workspace_id = $1
      and id = $2
    returning event_sequence)
insert into campaign_event (workspace_id, campaign_id, sequence, type, data)
select $1, $2, c.event_sequence, $3, $4
from c`

// CampaignEvent appends to a campaign's event stream, in the transaction of
// what it tells. data is ids and figures, never personal data.
func CampaignEvent(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, kind string, data any) error {
	if _, err := tx.Exec(ctx, sqlCampaignEvent, ws, campaign, kind, data); err != nil {
		return fmt.Errorf("append campaign event: %w", err)
	}
	return nil
}

// sqlCampaignsUnder finds the live campaigns that a scope holds. Ordered, so
// that two transactions lock the campaigns in the same order.
const sqlCampaignsUnder = `
select distinct campaign_id
from run
where workspace_id = $1
  and state in ('planning', 'running', 'finishing')
  and campaign_id is not null
  and $2 in (workspace_id, portfolio_id, waba_id, number_id, template_id, campaign_id, id)
order by campaign_id`

// TellCampaigns appends the same event to every live campaign that a scope holds.
func TellCampaigns(ctx context.Context, tx pgx.Tx, ws id.Workspace, scope [16]byte, kind string, data any) error {
	campaigns, err := pg.All(ctx, tx, "find the campaigns a stop holds", pgx.RowTo[id.Campaign], sqlCampaignsUnder, ws, scope)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		if err := CampaignEvent(ctx, tx, ws, c, kind, data); err != nil {
			return err
		}
	}
	return nil
}
