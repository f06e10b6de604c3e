package wizard

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/templates"
	"bareed/web/front"
	"bareed/web/ui"
)

const (
	maxTemplatesShown  = 1000
	maxAttributesShown = 200
)

// messageView is the first step's own part.
type messageView struct {
	Numbers  []map[string]any
	Number   *numbers.Number
	Limit    numbers.Portfolio // of the chosen number
	Sendable []map[string]any
	Others   []map[string]any // templates that cannot be sent now, with the reason
	Accounts bool             // the numbers are of several accounts, each with its own templates
	Template *templates.Template
	Slots    []map[string]any
	Preview  map[string]any
	Missing  string // what is still to be filled; empty: nothing
	Asked    bool   // the reader came to fill the variables
	slots    []plan.Slot
	open     []int // of slots, those that are not filled
}

func (v *view) fillMessage(f *ui.Form) {
	f.Set("name", v.Campaign.Name)
	f.Set("number", v.Campaign.NumberID.String())
	f.Set("template", v.Campaign.TemplateID.String())
	for _, slot := range v.Campaign.Variables.Slots(v.Template) {
		switch x := slot.Value; {
		case x.Attribute != "":
			f.Set("from."+slot.Key, "of:"+x.Attribute)
			f.Set("value."+slot.Key, x.Fallback)
		case x.Text != "":
			f.Set("from."+slot.Key, "text")
			f.Set("value."+slot.Key, x.Text)
		}
	}
}

// slotFields pairs the place of a variable's fault with its field.
func slotFields(slots []plan.Slot) []string {
	var names []string
	for _, slot := range slots {
		names = append(names, slot.Pointer, "from."+slot.Key)
	}
	return names
}

// typed are the template's slots as the form fills them.
func typed(f *ui.Form, t templates.Template) []plan.Slot {
	slots := plan.Variables{}.Slots(t)
	for i, slot := range slots {
		from, text := f.Get("from."+slot.Key), f.Get("value."+slot.Key)
		if attribute, ok := strings.CutPrefix(from, "of:"); ok {
			slots[i].Value = plan.Value{Attribute: attribute, Fallback: text}
		} else if text != "" {
			slots[i].Value = plan.Value{Text: text}
		}
	}
	return slots
}

// messageChange reads the first step's form.
func messageChange(c *front.Call, tx pgx.Tx, f *ui.Form, ch *campaigns.Change) error {
	need(c, f, "name")
	number := choice[id.Number](c, f, "number")
	template := choice[id.Template](c, f, "template")
	name := f.Get("name")
	ch.Name, ch.NumberID, ch.TemplateID = &name, &number, &template
	if f.Refused() {
		return nil
	}
	t, err := templates.Get(c.Ctx(), tx, c.Actor().Workspace, template)
	if errs.Is(err, "not_found") {
		f.Add("template", errs.Sentence(c.Lang(), "ref.not_found", nil))
		return nil
	}
	variables := plan.Mapping(typed(f, t))
	ch.Variables = &variables
	return err
}

func (s *desk) messageView(c *front.Call, tx pgx.Tx, v *view, f *ui.Form) (*messageView, error) {
	ws := c.Actor().Workspace
	m := &messageView{}
	list, err := numbers.List(c.Ctx(), tx, ws)
	if err != nil {
		return nil, err
	}
	all, err := templates.List(c.Ctx(), tx, ws, templates.Filter{}, id.Template{}, maxTemplatesShown)
	if err != nil {
		return nil, err
	}
	if f.Get("number") == "" && len(list) > 0 {
		f.Set("number", list[0].ID.String())
	}
	m.chooseNumber(c, list, f.Get("number"))
	if m.Number != nil {
		if m.Limit, err = numbers.GetPortfolio(c.Ctx(), tx, m.Number.Portfolio); err != nil {
			return nil, err
		}
	}
	m.chooseTemplate(c, all, f.Get("template"))
	if m.Template == nil {
		return m, nil
	}
	attributes, err := contacts.AttributeNames(c.Ctx(), tx, ws, maxAttributesShown)
	if err != nil {
		return nil, err
	}
	slots := typed(f, *m.Template)
	m.table(c, f, slots, attributes)
	m.missing(c, f, slots)
	m.Preview, err = v.preview(c, tx, *m.Template, m.Number, slots)
	return m, err
}

func (m *messageView) chooseNumber(c *front.Call, list []numbers.Number, chosen string) {
	for i, n := range list {
		option := map[string]any{"value": n.ID.String(), "phone": n.DisplayPhone, "name": n.VerifiedName, "quality": n.Quality}
		if !n.CanSend() {
			option["why"] = errs.Sentence(c.Lang(), "number.cannot_send", errs.Params{"status": n.Status})
		}
		if n.ID.String() == chosen {
			m.Number = &list[i]
		}
		m.Accounts = m.Accounts || n.WABA != list[0].WABA
		m.Numbers = append(m.Numbers, option)
	}
}

// chooseTemplate parts the templates that can be sent from those that cannot.
func (m *messageView) chooseTemplate(c *front.Call, all []templates.Template, chosen string) {
	for i, t := range all {
		option := map[string]any{"value": t.ID.String(), "name": t.Name, "language": t.Language, "category": t.Category, "quality": t.Quality,
			"body": templates.Show(t, templates.Examples(t)).Body}
		e, refused := errs.As(t.CanSend())
		switch {
		case m.Number != nil && t.WABA != m.Number.WABA:
			option["why"] = c.T("wizard.template.other_account")
		case refused:
			option["why"] = e.Problem(c.Lang()).Detail
		}
		if t.ID.String() == chosen {
			m.Template = &all[i]
		}
		if option["why"] == nil {
			m.Sendable = append(m.Sendable, option)
		} else {
			m.Others = append(m.Others, option)
		}
	}
}

// table is a row for each variable. One that is named like an attribute is
// offered with it.
func (m *messageView) table(c *front.Call, f *ui.Form, slots []plan.Slot, attributes []string) {
	for _, slot := range slots {
		p := slot.Parameter
		if p.Component == templates.Body && !f.Values.Has("from."+slot.Key) && slices.Contains(append(attributes, "name"), p.Name) {
			f.Set("from."+slot.Key, "of:"+p.Name)
		}
		options := []map[string]any{{"value": "of:name", "text": c.T("wizard.from.name")}, {"value": "of:phone", "text": c.T("wizard.from.phone")}}
		if a := slot.Value.Attribute; a != "" && a != "name" && a != "phone" && !slices.Contains(attributes, a) {
			options = append(options, map[string]any{"value": "of:" + a, "text": a})
		}
		for _, a := range attributes {
			if a != "name" && a != "phone" {
				options = append(options, map[string]any{"value": "of:" + a, "text": a})
			}
		}
		options = append(options, map[string]any{"value": "text", "text": c.T("wizard.from.text")})
		m.Slots = append(m.Slots, map[string]any{"key": slot.Key, "parameter": p, "options": options, "name": p.Name, "label": p.Label,
			"place": p.Component, "kind": p.Kind, "example": p.Example, "optional": !p.Required})
	}
}
