package ui

import (
	"net/url"
	"strings"

	"bareed/internal/errs"
)

// Form keeps what a person typed and what is wrong with it, so that a refused
// form comes back as it was left.
type Form struct {
	Values  url.Values
	General []string          // faults without a field
	Errors  map[string]string // by field
	order   []string
	names   map[string]string // of fields, as the reader sees them
}

// NewForm starts from what was posted, or from the present values.
func NewForm(v url.Values) *Form {
	if v == nil {
		v = url.Values{}
	}
	return &Form{Values: v, Errors: map[string]string{}, names: map[string]string{}}
}

// Fault is a line of the summary: the field's id and name, or none.
type Fault struct {
	Field string
	Name  string
	Text  string
}

// Name tells what a field is called, for the summary of faults.
func (f *Form) Name(field, label string) *Form {
	f.names[field] = label
	return f
}

// Get is a field's value, without the spaces around it.
func (f *Form) Get(name string) string {
	if f == nil {
		return ""
	}
	return strings.TrimSpace(f.Values.Get(name))
}

// Raw is a field's value as it was typed, for passwords and texts.
func (f *Form) Raw(name string) string {
	if f == nil {
		return ""
	}
	return f.Values.Get(name)
}

// Has tells whether one of a field's values is v: a ticked box, a chosen radio.
func (f *Form) Has(name, v string) bool {
	if f == nil {
		return false
	}
	for _, got := range f.Values[name] {
		if got == v {
			return true
		}
	}
	return false
}

// Set puts a value in.
func (f *Form) Set(name, value string) { f.Values.Set(name, value) }

// Error is what is wrong with a field.
func (f *Form) Error(name string) string {
	if f == nil {
		return ""
	}
	return f.Errors[name]
}

// Add notes a fault, already in the reader's language. The first of a field stays.
func (f *Form) Add(field, text string) {
	if field == "" {
		f.General = append(f.General, text)
		return
	}
	if _, ok := f.Errors[field]; !ok {
		f.Errors[field] = text
		f.order = append(f.order, field)
	}
}

// Refused tells whether there is a fault.
func (f *Form) Refused() bool { return f != nil && (len(f.General) > 0 || len(f.Errors) > 0) }

// Summary lists the faults, those without a field first.
func (f *Form) Summary() []Fault {
	if f == nil {
		return nil
	}
	var all []Fault
	for _, text := range f.General {
		all = append(all, Fault{Text: text})
	}
	for _, field := range f.order {
		all = append(all, Fault{Field: field, Name: f.names[field], Text: f.Errors[field]})
	}
	return all
}

// Fail takes the faults of an error a person may see, and tells whether err is
// one that belongs on the form (4xx); the caller shows others as a page of their
// own. A pointer names the field: /name is name, /audience_ids/0 is
// audience_ids, and names gives other fields for pointers.
func (f *Form) Fail(lang string, err error, names ...string) bool {
	e, ok := errs.As(err)
	if !ok || e.Status() >= 500 || e.Status() == 401 || e.Code == "not_found" {
		return false
	}
	p := e.Problem(lang)
	placed := false
	for _, fault := range p.Errors {
		field := fieldOf(fault.Pointer, names)
		f.Add(field, fault.Detail)
		placed = placed || field != ""
	}
	if !placed {
		f.Add("", p.Detail)
	}
	return true
}

// fieldOf finds the form's field of a JSON pointer.
func fieldOf(pointer string, names []string) string {
	for i := 0; i+1 < len(names); i += 2 {
		if names[i] == pointer {
			return names[i+1]
		}
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(field)
}

// Require notes every named field that was left empty.
func (f *Form) Require(l Locale, fields ...string) {
	for _, name := range fields {
		if f.Get(name) == "" {
			f.Add(name, errs.Sentence(l.Lang, "field.required", nil))
		}
	}
}

// Explain puts an error of that code on the form as a whole, also where Fail
// would not take it.
func (f *Form) Explain(lang string, err error, code string) bool {
	e, ok := errs.As(err)
	if !ok || e.Code != code {
		return false
	}
	f.Add("", e.Problem(lang).Detail)
	return true
}
