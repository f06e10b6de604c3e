package strict

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Template is what a template demands of the one who fills it.
type Template struct {
	named   bool
	header  part
	body    part
	buttons []button
	others  []string // component types taken as they come: carousel, limited_time_offer
}

// part is a header or a body; format is TEXT, IMAGE, … and empty when there is none.
type part struct {
	format string
	text   string
	vars   []string
}

type button struct {
	kind string // QUICK_REPLY, URL, COPY_CODE, OTP, …
	vars int
}

var variable = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)

func variables(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// ParseTemplate reads components in Meta's form; format is POSITIONAL or NAMED.
func ParseTemplate(components json.RawMessage, format string) (*Template, error) {
	var list []struct {
		Type    string `json:"type"`
		Format  string `json:"format"`
		Text    string `json:"text"`
		Buttons []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"buttons"`
	}
	if err := json.Unmarshal(components, &list); err != nil {
		return nil, fmt.Errorf("components: %w", err)
	}
	t := &Template{named: format == "NAMED"}
	for _, c := range list {
		switch strings.ToUpper(c.Type) {
		case "HEADER":
			t.header = part{format: strings.ToUpper(cmp.Or(c.Format, "TEXT")), text: c.Text, vars: variables(c.Text)}
		case "BODY":
			t.body = part{format: "TEXT", text: c.Text, vars: variables(c.Text)}
		case "BUTTONS":
			for _, b := range c.Buttons {
				t.buttons = append(t.buttons, button{kind: strings.ToUpper(b.Type), vars: len(variables(b.URL))})
			}
		case "FOOTER":
		default:
			t.others = append(t.others, strings.ToLower(c.Type))
		}
	}
	if t.body.text == "" {
		return nil, fmt.Errorf("a BODY with text is needed")
	}
	return t, nil
}

// CheckFill compares a filled template with what is demanded.
func (t *Template) CheckFill(in *Filled) *Refusal {
	var header, body *Component
	buttons := map[int]*Component{}
	for i := range in.Components {
		c := &in.Components[i]
		kind := lower(c.Type)
		switch {
		case kind == "header" && header == nil:
			header = c
		case kind == "body" && body == nil:
			body = c
		case kind == "button":
			at, ok := c.index()
			if !ok || at >= len(t.buttons) || buttons[at] != nil {
				return Refuse(132000, "button index")
			}
			buttons[at] = c
		case slices.Contains(t.others, kind):
		default:
			return Refuse(100, "component "+kind)
		}
	}
	if ref := t.checkHeader(header); ref != nil {
		return ref
	}
	if ref := t.checkText("body", t.body, body, 1024); ref != nil {
		return ref
	}
	return t.checkButtons(buttons)
}

func (c *Component) index() (int, bool) {
	at, err := strconv.Atoi(strings.Trim(string(c.Index), `"`))
	return at, err == nil && at >= 0
}

func (t *Template) checkHeader(c *Component) *Refusal {
	switch t.header.format {
	case "", "TEXT":
		return t.checkText("header", t.header, c, 60)
	}
	if c == nil || len(c.Parameters) != 1 || !strings.EqualFold(c.Parameters[0].Type, t.header.format) {
		return Refuse(132012, "header must be one "+lower(t.header.format))
	}
	p := c.Parameters[0]
	raw := map[string]json.RawMessage{"image": p.Image, "video": p.Video, "document": p.Document, "location": p.Location}[lower(p.Type)]
	var media struct {
		ID, Link            string
		Latitude, Longitude json.Number
	}
	if json.Unmarshal(raw, &media) != nil || media.ID == "" && media.Link == "" && media.Latitude == "" {
		return Refuse(131008, "header media needs an id or a link")
	}
	return nil
}

// checkText checks a header or body that is text, and its length when filled.
func (t *Template) checkText(name string, want part, c *Component, limit int) *Refusal {
	given := []Parameter{}
	if c != nil {
		given = c.Parameters
	}
	if len(given) != len(want.vars) {
		return Refuse(132000, fmt.Sprintf("%s: %d parameters given, %d expected", name, len(given), len(want.vars)))
	}
	filled := want.text
	for i, p := range given {
		key := want.vars[i]
		if t.named {
			if key = p.Name; !slices.Contains(want.vars, key) {
				return Refuse(132012, name+": parameter names differ from the template")
			}
		} else if p.Name != "" {
			return Refuse(132012, name+": named parameter for a positional template")
		} else {
			key = fmt.Sprint(i + 1)
		}
		value, ref := p.value(name)
		if ref != nil {
			return ref
		}
		filled = variable.ReplaceAllStringFunc(filled, func(found string) string {
			if variable.FindStringSubmatch(found)[1] == key {
				return strings.ReplaceAll(value, "{{", "{ {")
			}
			return found
		})
	}
	if utf8.RuneCountInString(filled) > limit {
		return Refuse(132005, name+": filled text is too long")
	}
	return nil
}

// value is a text-like parameter's text, checked as since v23.
func (p *Parameter) value(where string) (string, *Refusal) {
	var v string
	switch {
	case p.Type == "text" && p.Text != nil:
		v = *p.Text
	case p.Type == "currency" && p.Currency != nil:
		v = p.Currency.Fallback
	case p.Type == "date_time" && p.DateTime != nil:
		v = p.DateTime.Fallback
	case p.Type == "text" || p.Type == "currency" || p.Type == "date_time":
		return "", Refuse(131008, where+": parameter without its value")
	default:
		return "", Refuse(132012, where+": parameter type "+p.Type)
	}
	if v == "" {
		return "", Refuse(131008, where+": empty parameter")
	}
	if strings.ContainsAny(v, "\n\r\t") || strings.Contains(v, "    ") {
		return "", Refuse(132018, where+": new line, tab or more than three spaces in a parameter")
	}
	return v, nil
}

func (t *Template) checkButtons(given map[int]*Component) *Refusal {
	for i, b := range t.buttons {
		c := given[i]
		need := b.vars > 0 || b.kind == "COPY_CODE" || b.kind == "OTP"
		if c == nil {
			if need {
				return Refuse(131008, fmt.Sprintf("button %d requires a parameter", i))
			}
			continue
		}
		sub := map[string]string{"URL": "url", "OTP": "url", "QUICK_REPLY": "quick_reply", "COPY_CODE": "copy_code"}[b.kind]
		if sub == "" {
			sub = lower(b.kind)
		}
		if lower(c.SubType) != sub {
			return Refuse(132012, fmt.Sprintf("button %d is %s", i, sub))
		}
		if b.kind == "URL" && b.vars == 0 && len(c.Parameters) > 0 || need && len(c.Parameters) != 1 {
			return Refuse(132000, fmt.Sprintf("button %d: number of parameters", i))
		}
		for _, p := range c.Parameters {
			ok := map[string]bool{
				"url": p.Type == "text" && p.Text != nil && *p.Text != "", "quick_reply": p.Type == "payload" && p.Payload != nil,
				"copy_code": p.Type == "coupon_code" && p.CouponCode != nil && *p.CouponCode != "" && len(*p.CouponCode) <= 20,
			}
			if valid, known := ok[sub]; known && !valid {
				return Refuse(132012, fmt.Sprintf("button %d: parameter type", i))
			}
		}
	}
	return nil
}

func lower(s string) string { return strings.ToLower(s) }
