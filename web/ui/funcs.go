package ui

import (
	"errors"
	"fmt"
	"html/template"
	"math"
	"reflect"
	"time"
)

// funcs are what templates may call, bound to one reader.
func (u *UI) funcs(l Locale) template.FuncMap {
	return template.FuncMap{
		"t":     l.T,
		"of":    l.Of,
		"flash": func(f *Flash) string { return l.T(f.Key, f.Params...) },
		"n":     func(v any) string { return l.say(v) },
		"pct":   l.Percent,
		"bytes": l.Bytes,
		"date":  l.withZone,
		"when":  func(v any) template.HTML { return l.element(v, l.Time) },
		"day":   func(v any) template.HTML { return l.element(v, l.Day) },
		"clock": func(v any) template.HTML {
			return l.element(v, func(t time.Time) string { return t.In(l.Zone).Format("15:04:05") })
		},
		"ago":      func(v any) template.HTML { return l.element(v, l.Ago) },
		"span":     l.Span,
		"zone":     l.ZoneName,
		"lang":     func() string { return l.Lang },
		"dir":      l.Dir,
		"phone":    phone,
		"ltr":      ltr,
		"icon":     icon,
		"asset":    u.assets.URL,
		"dict":     dict,
		"list":     func(v ...any) []any { return v },
		"share":    share,
		"segments": segments,
		"seq":      seq,
	}
}

// phone writes a phone number, whole or masked, in its own direction and on one line.
func phone(v any) template.HTML { return `<span class="nowrap">` + ltr(v) + `</span>` }

// ltr writes an id, a name or an address in its own direction.
func ltr(v any) template.HTML {
	return template.HTML(`<bdi dir="ltr">` + template.HTMLEscapeString(fmt.Sprint(v)) + `</bdi>`) //nolint:gosec // escaped
}

// dict makes the argument of a part from names and values in turn.
func dict(kv ...any) (map[string]any, error) {
	if len(kv)%2 != 0 {
		return nil, errors.New("dict needs names and values in turn")
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		name, ok := kv[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", kv[i])
		}
		m[name] = kv[i+1]
	}
	return m, nil
}

// share is part of total in percent for an SVG's width, between 0 and 100.
func share(part, total any) string {
	p, _ := number(part)
	w, _ := number(total)
	if w <= 0 || p <= 0 || math.IsNaN(p) {
		return "0%"
	}
	return fmt.Sprintf("%.2f%%", min(100, 100*p/w))
}

// Segment is one stretch of a segmented bar: its kind is a colour's name.
type Segment struct {
	Kind  string
	Label string
	Value int64
}

// drawn is a segment with its place, in percent of the whole.
type drawn struct {
	Segment
	Start, Width string
}

// segments lays stretches end to end over total.
func segments(total any, all []Segment) []drawn {
	w, _ := number(total)
	var out []drawn
	at := 0.0
	for _, s := range all {
		if w <= 0 || s.Value <= 0 {
			continue
		}
		width := 100 * float64(s.Value) / w
		out = append(out, drawn{s, fmt.Sprintf("%.3f%%", at), fmt.Sprintf("%.3f%%", width)})
		at += width
	}
	return out
}

// seq is 0 to n-1, or as many as a list has.
func seq(v any) []int {
	n := 0
	if i, ok := whole(v); ok {
		n = int(i)
	} else if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
		n = r.Len()
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
