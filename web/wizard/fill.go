package wizard

import (
	"strings"

	"bareed/campaigns/plan"
	"bareed/templates"
	"bareed/web/front"
	"bareed/web/ui"
)

// called is a variable's name for a reader.
func called(c *front.Call, p templates.Parameter) string {
	switch {
	case p.Component == templates.Body && numbered(p) && p.Example != "":
		return c.T("wizard.variable.like", "n", p.Name, "example", p.Example)
	case p.Component == templates.Body:
		return p.Name
	case p.Component == templates.Button:
		return c.T("wizard.variable.button", "name", p.Label)
	case p.Name == "filename":
		return c.T("wizard.variable.file")
	}
	return c.Locale().Of("wizard.variable.header", p.Kind)
}

// wanted asks for what fills the i-th slot, by its place and its name.
func wanted(c *front.Call, slots []plan.Slot, i int) string {
	p := slots[i].Parameter
	if p.Component != templates.Body {
		return c.T("wizard.need.place", "name", called(c, p))
	}
	nth := 0
	for _, slot := range slots[:i+1] {
		if slot.Parameter.Component == templates.Body {
			nth++
		}
	}
	switch {
	case !numbered(p):
		return c.T("wizard.need.variable", "n", nth, "name", p.Name)
	case p.Example != "":
		return c.T("wizard.need.variable.like", "n", nth, "example", p.Example)
	}
	return c.T("wizard.need.variable.bare", "n", nth)
}

// unfilled lists the slots that need a source and have none, also none that the
// page suggests.
func unfilled(f *ui.Form, slots []plan.Slot) (list []int) {
	for i, slot := range slots {
		from := f.Get("from." + slot.Key)
		if slot.Parameter.Required && (from == "" || from == "text") && f.Get("value."+slot.Key) == "" {
			list = append(list, i)
		}
	}
	return list
}

// ask says at each variable that is still to be filled what it waits for.
func (m *messageView) ask(c *front.Call, f *ui.Form) {
	m.Asked = true
	for _, i := range m.open {
		f.Add("from."+m.slots[i].Key, wanted(c, m.slots, i))
	}
}

// missing names what is still to be filled, in one sentence.
func (m *messageView) missing(c *front.Call, f *ui.Form, slots []plan.Slot) {
	m.slots, m.open = slots, unfilled(f, slots)
	names, comma := make([]string, 0, len(m.open)), ", "
	if c.Lang() == "ar" {
		comma = "، "
	}
	for _, i := range m.open {
		names = append(names, called(c, slots[i].Parameter))
	}
	if len(names) > 0 {
		m.Missing = c.T("wizard.missing", "n", len(names), "names", strings.Join(names, comma))
	}
}

// numbered tells a variable that Meta knows by its place alone.
func numbered(p templates.Parameter) bool { return strings.Trim(p.Name, "0123456789") == "" }
