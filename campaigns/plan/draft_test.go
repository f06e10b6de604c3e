package plan_test

import (
	"reflect"
	"testing"

	"bareed/campaigns/plan"
	"bareed/templates"
)

// The slots of a mapping make the same mapping again, for every kind of
// parameter, and an empty slot leaves no trace.
func TestSlotsAndMapping(t *testing.T) {
	t.Parallel()
	numbered := templates.Template{Components: []byte(`[{"type":"HEADER","format":"DOCUMENT"},{"type":"BODY","text":"{{2}} {{1}}"},
		{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Yes"},{"type":"URL","text":"Shop","url":"https://x.example/{{1}}"}]}]`)}
	named := templates.Template{ParameterFormat: "NAMED", Components: []byte(`[{"type":"BODY","text":"{{first_name}} {{city}}"}]`)}
	for name, c := range map[string]struct {
		template templates.Template
		mapping  plan.Variables
		slots    int
	}{
		"all numbered": {numbered, plan.Variables{Header: []plan.Value{{Text: "https://x.example/a.pdf"}, {Text: "a.pdf"}},
			Body: []plan.Value{{Attribute: "name", Fallback: "you"}, {Text: "b"}}, Buttons: map[string]plan.Value{"1": {Attribute: "code"}}}, 6},
		"second only": {numbered, plan.Variables{Body: []plan.Value{{}, {Text: "b"}}}, 6},
		"named":       {named, plan.Variables{BodyNamed: map[string]plan.Value{"city": {Attribute: "city"}}}, 2},
		"nothing":     {named, plan.Variables{}, 2},
	} {
		slots := c.mapping.Slots(c.template)
		if got := plan.Mapping(slots); len(slots) != c.slots || !reflect.DeepEqual(got, c.mapping) {
			t.Errorf("%s: %d slots, %+v", name, len(slots), got)
		}
		seen := map[string]bool{}
		for _, s := range slots {
			if s.Key == "" || s.Pointer == "" || seen[s.Key] {
				t.Errorf("%s: %+v", name, s)
			}
			seen[s.Key] = true
		}
	}
}
