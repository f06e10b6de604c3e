package campaigns

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/templates"
)

// maxAudiences bounds the union that every chunk of a plan merges.
const maxAudiences = 50

const sqlReferences = `
select
    exists (
        select from number n
        where n.workspace_id = $1
          and n.id = $2
          and n.disconnected_at is null),
    exists (
        select from template t
        where t.workspace_id = $1
          and t.id = $3
          and t.gone_at is null),
    array(
        select a.id
        from audience a
        where a.workspace_id = $1
          and a.id = any ($4)
          and a.deleted_at is null)`

// references reads what the definition names. What does not exist and what is
// another workspace's are the same fault.
func (d *Definition) references(ctx context.Context, tx pgx.Tx, ws id.Workspace, all *errs.Error) (*numbers.Number, *templates.Template, error) {
	var hasNumber, hasTemplate bool
	var audiences []id.Audience
	err := tx.QueryRow(ctx, sqlReferences, ws, d.NumberID, d.TemplateID, d.AudienceIDs).
		Scan(&hasNumber, &hasTemplate, &audiences)
	if err != nil {
		return nil, nil, fmt.Errorf("look up what the campaign names: %w", err)
	}
	if len(d.AudienceIDs) > maxAudiences {
		collect(all, errs.New("field.too_long", "field", "audience_ids", "max", maxAudiences).At("/audience_ids", ""))
	}
	for i, a := range d.AudienceIDs {
		if !slices.Contains(audiences, a) {
			collect(all, notFound("/audience_ids/"+strconv.Itoa(i)))
		}
	}
	var number *numbers.Number
	var template *templates.Template
	if hasNumber {
		n, err := numbers.Get(ctx, tx, ws, d.NumberID)
		if err != nil {
			return nil, nil, err
		}
		number = &n
	} else if !d.keptMessage {
		collect(all, notFound("/number_id"))
	}
	if hasTemplate {
		t, err := templates.Get(ctx, tx, ws, d.TemplateID)
		if err != nil {
			return nil, nil, err
		}
		template = &t
	} else if !d.keptMessage {
		collect(all, notFound("/template_id"))
	}
	return number, template, nil
}

func notFound(pointer string) *errs.Error { return errs.New("ref.not_found").At(pointer, "") }

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
