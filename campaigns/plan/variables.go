package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bareed/internal/errs"
	"bareed/templates"
)

// Variables says what fills a template's parameters: body in the order of the
// numbers, body_named by name, header (a second entry is a document's file
// name), buttons by their position from 0.
type Variables struct {
	Header    []Value          `json:"header,omitempty" maxItems:"2"`
	Body      []Value          `json:"body,omitempty" maxItems:"100"`
	BodyNamed map[string]Value `json:"body_named,omitempty"`
	Buttons   map[string]Value `json:"buttons,omitempty"`
}

// Value is one parameter's source: an attribute of the person (name and phone
// are built in) with what stands in when it is empty, or a fixed text.
type Value struct {
	Attribute string `json:"attribute,omitempty" maxLength:"64"`
	Fallback  string `json:"fallback,omitempty" maxLength:"1024"`
	Text      string `json:"text,omitempty" maxLength:"2000"`
}

// Attributes a person has without any import.
const (
	attributeName  = "name"
	attributePhone = "phone"
)

// binding is a parameter with its source.
type binding struct {
	key      string
	value    Value
	required bool
}

// source finds the value for a parameter and where it stands in the JSON. nth
// counts the body's parameters, because numbered ones are a list.
func (v Variables) source(p templates.Parameter, nth int) (Value, string, bool) {
	switch p.Component {
	case templates.Header:
		return item(v.Header, 0, "/variables/header/0")
	case templates.Body:
		if named, ok := v.BodyNamed[p.Name]; ok {
			return named, "/variables/body_named/" + p.Name, true
		}
		if _, err := strconv.Atoi(p.Name); err != nil {
			return Value{}, "/variables/body_named/" + p.Name, false
		}
		return item(v.Body, nth, "/variables/body/"+strconv.Itoa(nth))
	default:
		i := strconv.Itoa(p.Index)
		b, ok := v.Buttons[i]
		return b, "/variables/buttons/" + i, ok
	}
}

func item(list []Value, i int, pointer string) (Value, string, bool) {
	if i < len(list) {
		return list[i], pointer, true
	}
	return Value{}, pointer, false
}

// sourced is a parameter with what the mapping gives for it.
type sourced struct {
	templates.Parameter
	value   Value
	pointer string
	given   bool
}

// sources lists the template's parameters in its order.
func (v Variables) sources(t templates.Template) []sourced {
	var list []sourced
	nth := 0
	for _, p := range templates.Parameters(t) {
		s := sourced{Parameter: p}
		s.value, s.pointer, s.given = v.source(p, nth)
		if p.Component == templates.Body {
			nth++
		}
		list = append(list, s)
	}
	return list
}

// bind pairs the template's parameters with their sources; what has none stays
// unfilled, and is refused when it is required.
func (v Variables) bind(t templates.Template) []binding {
	var list []binding
	for _, s := range v.sources(t) {
		if s.given || s.Required {
			list = append(list, binding{key: s.Key(), value: s.value, required: s.Required})
		}
	}
	if len(v.Header) > 1 {
		list = append(list, binding{key: templates.FileKey, value: v.Header[1]})
	}
	return list
}

// fill takes the values for one person; false when a required one has neither
// value nor fallback.
func fill(list []binding, p Person) (templates.Values, bool) {
	values := make(templates.Values, len(list))
	for _, b := range list {
		text := b.value.of(p)
		if text == "" && b.required {
			return nil, false
		}
		if text != "" {
			values[b.key] = text
		}
	}
	return values, true
}

func (v Value) of(p Person) string {
	if v.Attribute == "" {
		return v.Text
	}
	var text string
	switch v.Attribute {
	case attributeName:
		text = p.name
	case attributePhone:
		text = p.phone
	default:
		text = p.attributes[v.Attribute]
	}
	if text = strings.TrimSpace(text); text == "" {
		return v.Fallback
	}
	return text
}

// Attributes names the attributes to read of each person.
func (v Variables) Attributes() []string {
	names := []string{}
	for _, value := range slices.Concat(v.Header, v.Body, slices.Collect(maps.Values(v.BodyNamed)), slices.Collect(maps.Values(v.Buttons))) {
		if a := value.Attribute; a != "" && a != attributeName && a != attributePhone && !slices.Contains(names, a) {
			names = append(names, a)
		}
	}
	return names
}

// Unbacked names the attributes, sorted, whose empty value leaves a person out,
// because nothing stands in for it.
func (v Variables) Unbacked() []string {
	var names []string
	for _, value := range slices.Concat(v.Header[:min(1, len(v.Header))], v.Body, slices.Collect(maps.Values(v.BodyNamed)), slices.Collect(maps.Values(v.Buttons))) {
		if value.Attribute != "" && value.Fallback == "" && !slices.Contains(names, value.Attribute) {
			names = append(names, value.Attribute)
		}
	}
	slices.Sort(names)
	return names
}

// Check compares the mapping with the template, both ways, and tries what is
// the same for everybody. It returns nil, or every fault in one error.
func (v Variables) Check(t templates.Template) *errs.Error {
	all := &errs.Error{}
	fault := func(pointer, code string, kv ...any) {
		if all.Code == "" {
			*all = *errs.New(code, kv...)
		}
		all.At(pointer, code, kv...)
	}
	used := map[string]bool{}
	header := ""
	for _, s := range v.sources(t) {
		used[s.pointer] = true
		if s.Component == templates.Header {
			header = s.Kind
		}
		switch {
		case !s.given && s.Required:
			fault(s.pointer, "template.params", "parameter", s.Key())
		case s.given:
			s.value.check(s.Parameter, s.pointer, fault)
		}
	}
	if header == templates.Document {
		used["/variables/header/1"] = true
	}
	for _, pointer := range v.pointers() {
		if !used[pointer] {
			fault(pointer, "variables.unused", "parameter", strings.TrimPrefix(pointer, "/variables/"))
		}
	}
	if all.Code == "" {
		return nil
	}
	return all
}

// check looks at one source: either an attribute or a text, and a text that
// Meta would take.
func (v Value) check(p templates.Parameter, pointer string, fault func(pointer, code string, kv ...any)) {
	fixed := v.Text
	if v.Attribute != "" {
		fixed = v.Fallback
	}
	switch {
	case (v.Attribute == "") == (v.Text == ""), v.Attribute == "" && v.Fallback != "":
		fault(pointer, "variables.value", "parameter", p.Key())
	case fixed != "" && templates.Sendable(fixed) != "":
		fault(pointer, "attr.not_sendable", "parameter", p.Key(), "why", templates.Sendable(fixed))
	case len([]rune(fixed)) > p.Max:
		fault(pointer, "attr.not_sendable", "parameter", p.Key(), "why", "too_long")
	}
}

// pointers lists where a value stands, in a fixed order.
func (v Variables) pointers() []string {
	var list []string
	for i := range v.Header {
		list = append(list, fmt.Sprint("/variables/header/", i))
	}
	for i := range v.Body {
		list = append(list, fmt.Sprint("/variables/body/", i))
	}
	for _, name := range slices.Sorted(maps.Keys(v.BodyNamed)) {
		list = append(list, "/variables/body_named/"+name)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Buttons)) {
		list = append(list, "/variables/buttons/"+name)
	}
	return list
}
