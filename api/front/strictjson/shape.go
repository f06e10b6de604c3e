package strictjson

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"bareed/internal/errs"
	"bareed/internal/id"
)

// shape compares a JSON value with the Go type it will be read into, and
// collects what the decoder would take silently or refuse without a place:
// unknown names, wrong types, numbers that are not whole, malformed ids.
type shape struct {
	faults []errs.Field
}

// Fit compares what Read gave with the type it will be read into. It returns the first kind of fault that was found, with every place
// of it: an unknown name before a wrong type, a wrong type before a bad id.
func Fit(v any, t reflect.Type) error {
	s := &shape{}
	s.value(v, t, "")
	for _, code := range []string{"json.unknown_field", "json.type", "json.number", "field.time", "ref.not_found"} {
		var e *errs.Error
		for _, f := range s.faults {
			if f.Code != code {
				continue
			}
			if e == nil {
				e = errs.New(code)
				for k, v := range f.Params {
					if e.Params == nil {
						e.Params = errs.Params{}
					}
					e.Params[k] = v
				}
			}
			e.Fields = append(e.Fields, f)
		}
		if e != nil {
			return e
		}
	}
	return nil
}

func (s *shape) fault(at, code string, p errs.Params) {
	s.faults = append(s.faults, errs.Field{Pointer: at, Code: code, Params: p})
}

func (s *shape) value(v any, t reflect.Type, at string) {
	for t.Kind() == reflect.Pointer {
		if v == nil {
			return
		}
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[json.RawMessage]() || t.Kind() == reflect.Interface:
		return
	case t == reflect.TypeFor[time.Time]():
		s.time(v, at)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		s.named(v, t, at)
	case v == nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map):
		return
	default:
		s.kind(v, t, at)
	}
}

func (s *shape) kind(v any, t reflect.Type, at string) {
	want := "object"
	switch t.Kind() {
	case reflect.Struct:
		if m, ok := v.(map[string]any); ok {
			s.object(m, t, at)
			return
		}
	case reflect.Map:
		if m, ok := v.(map[string]any); ok {
			for name, v := range m {
				s.value(v, t.Elem(), at+"/"+Token(name))
			}
			return
		}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			s.scalar(v, "string", at)
			return
		}
		if list, ok := v.([]any); ok {
			for i, v := range list {
				s.value(v, t.Elem(), at+"/"+strconv.Itoa(i))
			}
			return
		}
		want = "array"
	case reflect.String:
		s.scalar(v, "string", at)
		return
	case reflect.Bool:
		s.scalar(v, "boolean", at)
		return
	default:
		s.number(v, t, at)
		return
	}
	s.fault(at, "json.type", errs.Params{"want": want})
}

func (s *shape) scalar(v any, want, at string) {
	_, text := v.(string)
	_, truth := v.(bool)
	if want == "string" && !text || want == "boolean" && !truth {
		s.fault(at, "json.type", errs.Params{"want": want})
	}
}

func (s *shape) number(v any, t reflect.Type, at string) {
	n, ok := v.(json.Number)
	if !ok {
		s.fault(at, "json.type", errs.Params{"want": "number"})
		return
	}
	if t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32 {
		return
	}
	i, err := n.Int64()
	fits := reflect.New(t).Elem()
	switch {
	case err != nil, fits.CanInt() && fits.OverflowInt(i), fits.CanUint() && (i < 0 || fits.OverflowUint(uint64(i))):
		s.fault(at, "json.number", nil)
	}
}

func (s *shape) time(v any, at string) {
	text, ok := v.(string)
	if !ok {
		s.fault(at, "json.type", errs.Params{"want": "string"})
		return
	}
	if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
		s.fault(at, "field.time", nil)
	}
}

// named checks text with a form of its own. A malformed identifier answers like
// one that names nothing.
func (s *shape) named(v any, t reflect.Type, at string) {
	text, ok := v.(string)
	if !ok {
		s.fault(at, "json.type", errs.Params{"want": "string"})
		return
	}
	err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	switch {
	case errors.Is(err, id.ErrMalformed):
		s.fault(at, "ref.not_found", nil)
	case err != nil:
		s.fault(at, "json.type", errs.Params{"want": "string"})
	}
}

func (s *shape) object(m map[string]any, t reflect.Type, at string) {
	known := fieldsOf(t)
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for name, v := range m {
		ft, ok := known[name]
		if !ok {
			s.fault(at+"/"+Token(errs.Clip(name)), "json.unknown_field", errs.Params{"name": errs.Clip(name), "hint": nearest(name, names)})
			continue
		}
		s.value(v, ft, at+"/"+Token(name))
	}
	slices.SortFunc(s.faults, func(a, b errs.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
}

// fieldsOf lists the JSON names of a struct, those of embedded ones included.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := make(map[string]reflect.Type)
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || name == "-" || f.Anonymous && name == "":
		case name == "":
			out[f.Name] = f.Type
		default:
			out[name] = f.Type
		}
	}
	return out
}

// nearest is the known name that was probably meant, in quotation marks, or all
// of them when none is near.
func nearest(name string, known []string) string {
	best, at := "", 4
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d < at && d < len(k) {
			best, at = k, d
		}
	}
	if best != "" {
		return `"` + best + `"`
	}
	if len(known) == 0 {
		return "{}" // the object has no fields at all
	}
	return strings.Join(known, ", ")
}

// distance counts the letters to change, add, remove or swap (optimal string
// alignment); long names are far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
