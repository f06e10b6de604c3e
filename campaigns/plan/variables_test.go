package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"bareed/internal/errs"
	"bareed/templates"
)

const rich = `[{"type":"HEADER","format":"DOCUMENT"},{"type":"BODY","text":"Dear {{name}}, order {{order}}"},
	{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop"},{"type":"URL","text":"Track","url":"https://shop.example/{{1}}"}]}]`

func template(format, components string) templates.Template {
	return templates.Template{Name: "t", Language: "en", Category: "MARKETING", Status: "APPROVED",
		ParameterFormat: format, Components: json.RawMessage(components)}
}

func TestValuesOfAPerson(t *testing.T) {
	t.Parallel()
	v := Variables{
		Header:    []Value{{Text: "https://shop.example/a.pdf"}, {Text: "Invoice.pdf"}},
		BodyNamed: map[string]Value{"name": {Attribute: "name", Fallback: "friend"}, "order": {Attribute: "order"}},
		Buttons:   map[string]Value{"0": {Text: "stop"}, "1": {Attribute: "phone"}},
	}
	tpl := template("NAMED", rich)
	if err := v.Check(tpl); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r := NewRules(tpl, v, now)
	who := Person{phoneKey: "+966500000001", phone: "+966500000001", permission: true, granted: true, attributes: map[string]string{"order": " 17 "}}
	reason, got := r.Decide(who)
	want := templates.Values{"header": "https://shop.example/a.pdf", "header.filename": "Invoice.pdf", "body.name": "friend",
		"body.order": "17", "button.0": "stop", "button.1": "+966500000001"}
	if reason != "" || !maps.Equal(got, want) {
		t.Errorf("%q %v", reason, got)
	}
	if fmt.Sprint(v.Attributes()) != "[order]" {
		t.Errorf("attributes %v", v.Attributes())
	}
	who.attributes = nil
	if reason, _ := r.Decide(who); reason != "param_missing" {
		t.Errorf("without its order: %q", reason)
	}
	past := now.Add(-time.Second)
	who.expiresAt = &past
	if reason, _ := r.Decide(who); reason != "consent_expired" {
		t.Errorf("expired comes before a missing parameter: %q", reason)
	}
}

func TestCheckOfAMapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, format, components string
		v                        Variables
		code, pointer            string
	}{
		{"no parameters", "", `[{"type":"BODY","text":"Hello"}]`, Variables{}, "", ""},
		{"unused button", "", `[{"type":"BODY","text":"Hello"}]`, Variables{Buttons: map[string]Value{"0": {Text: "x"}}}, "variables.unused", "/variables/buttons/0"},
		{"quick reply may stay empty", "", `[{"type":"BODY","text":"Hi"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"No"}]}]`, Variables{}, "", ""},
		{"header medium missing", "", `[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi"}]`, Variables{}, "template.params", "/variables/header/0"},
		{"second header of a picture", "", `[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi"}]`,
			Variables{Header: []Value{{Text: "1"}, {Text: "x"}}}, "variables.unused", "/variables/header/1"},
		{"named for numbered", "", `[{"type":"BODY","text":"Hi {{1}}"}]`, Variables{BodyNamed: map[string]Value{"1": {Text: "x"}}}, "", ""},
		{"named missing", "NAMED", `[{"type":"BODY","text":"Hi {{who}}"}]`, Variables{Body: []Value{{Text: "x"}}}, "template.params", "/variables/body_named/who"},
		{"fallback without attribute", "", `[{"type":"BODY","text":"Hi {{1}}"}]`, Variables{Body: []Value{{Text: "x", Fallback: "y"}}}, "variables.value", "/variables/body/0"},
		{"fallback that cannot be sent", "", `[{"type":"BODY","text":"Hi {{1}}"}]`, Variables{Body: []Value{{Attribute: "a", Fallback: "x\ty"}}}, "attr.not_sendable", "/variables/body/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.v.Check(template(c.format, c.components))
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || err.Code != c.code || err.Fields[0].Pointer != c.pointer {
				t.Errorf("got %+v", err)
			}
			if _, ok := errs.Lookup(c.code); !ok {
				t.Errorf("%s is not in the catalogue", c.code)
			}
		})
	}
}
