package wizard

import (
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/numbers"
	"bareed/templates"
	"bareed/web/front"
	"bareed/web/phone"
)

// preview shows the message as one person of the audience would read it; before
// there is an audience, with the examples that Meta was given.
func (v *view) preview(c *front.Call, tx pgx.Tx, t templates.Template, from *numbers.Number, slots []plan.Slot) (map[string]any, error) {
	values := templates.Examples(t)
	for _, slot := range slots {
		if slot.Value.Text != "" {
			values[slot.Key] = slot.Value.Text
		}
	}
	caption := c.T("wizard.preview.examples")
	if len(v.Campaign.AudienceIDs) > 0 && from != nil {
		mapping := plan.Mapping(slots)
		sample, err := plan.Example(c.Ctx(), tx, plan.Scope{Workspace: c.Actor().Workspace, Audiences: v.Campaign.AudienceIDs,
			Portfolio: from.Portfolio, Purpose: t.Purpose(), Attributes: mapping.Attributes()}, t, mapping)
		if err != nil {
			return nil, err
		}
		if sample.Found {
			values, caption = sample.Values, c.T("wizard.preview.person")
			if sample.Name != "" {
				caption = c.T("wizard.preview.for", "name", sample.Name)
			}
			maskPhone(c, slots, values)
		}
	}
	return phone.Of(c.Locale(), t, values, caption), nil
}

// maskPhone hides the person's phone from those who do not see phones.
func maskPhone(c *front.Call, slots []plan.Slot, values templates.Values) {
	if c.Can(accounts.SeePhones) {
		return
	}
	for _, slot := range slots {
		if text := values[slot.Key]; slot.Value.Attribute == "phone" && text != "" {
			values[slot.Key] = errs.MaskPhone(text)
		}
	}
}

// asDrafted is the preview of the draft as it stands, for the steps behind the
// message's own.
func (v *view) asDrafted(c *front.Call, tx pgx.Tx) (map[string]any, error) {
	return v.preview(c, tx, v.Template, &v.Number, v.Campaign.Variables.Slots(v.Template))
}
