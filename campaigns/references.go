package campaigns

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/messages"
)

// record writes what was done twice, in the same transaction: in the audit, for
// who did it, and in the campaign's own events, for those who watch it.
func record(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, action string, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	if err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: action, Subject: campaign.String(), Detail: detail}); err != nil {
		return err
	}
	return messages.CampaignEvent(ctx, tx, a.Workspace, campaign, action, detail)
}
