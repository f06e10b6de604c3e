package ui

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"bareed/internal/clock"
)

// Locale says things to one reader: in a language, with times in a zone.
type Locale struct {
	Lang  string
	Zone  *time.Location
	texts *Texts
	clock clock.Clock
}

// Dir is the direction of the language's script, for the dir attribute.
func (l Locale) Dir() string {
	if l.Lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

// T is the text of a key; kv fill its {places}, name and value in turn. The
// parameter n picks the plural form. A key outside the catalogue shows as
// itself: a test finds it first.
func (l Locale) T(key string, kv ...any) string {
	m, ok := l.texts.ByLang[l.Lang][key]
	if !ok {
		return key
	}
	text := m.Text
	if m.Forms != nil {
		text = l.form(m, kv)
	}
	for i := 0; i+1 < len(kv); i += 2 {
		name, _ := kv[i].(string)
		text = strings.ReplaceAll(text, "{"+name+"}", l.say(kv[i+1]))
	}
	return text
}

func (l Locale) form(m Message, kv []any) string {
	for i := 0; i+1 < len(kv); i += 2 {
		if n, ok := whole(kv[i+1]); ok && kv[i] == "n" {
			if s, ok := m.Forms[category(l.Lang, n)]; ok {
				return s
			}
		}
	}
	return m.Forms["other"]
}

// Of is the text of one of a family, as in Of("campaign.state", c.State): the
// key is the family, a dot and the value in lower case. A value without a text
// shows as itself.
func (l Locale) Of(family string, value any, kv ...any) string {
	v := fmt.Sprint(value)
	if key := family + "." + strings.ToLower(v); l.texts.Has(key) {
		return l.T(key, kv...)
	}
	return v
}

// OfKind is Of for values whose kind stands before their first underscore, as in
// "meta_131049": the value's own text, else its kind's, else that of "other".
// {code} is what follows the kind.
func (l Locale) OfKind(family, value string, kv ...any) string {
	kind, code, _ := strings.Cut(value, "_")
	for _, v := range []string{value, kind} {
		if key := family + "." + strings.ToLower(v); l.texts.Has(key) {
			return l.T(key, append(kv, "code", code)...)
		}
	}
	return l.T(family+".other", kv...)
}

// say writes a parameter: numbers grouped, times in the zone, other text apart
// from the direction around it.
func (l Locale) say(v any) string {
	if n, ok := whole(v); ok {
		return group(n)
	}
	switch v := v.(type) {
	case time.Time:
		return l.Time(v)
	case *time.Time:
		if v != nil {
			return l.Time(*v)
		}
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return l.isolate(fmt.Sprint(v))
}

// isolate keeps a foreign direction from disturbing the sentence (Unicode
// TR 9, first strong isolate); a plain Latin word in English needs none.
func (l Locale) isolate(s string) string {
	if l.Lang == "en" && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x0590 && r <= 0x08ff || r >= 0xfb1d && r <= 0xfefc }) {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// whole reads any whole number.
func whole(v any) (int64, bool) {
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	switch {
	case !r.IsValid():
		return 0, false
	case r.CanInt():
		if _, ok := v.(time.Duration); ok {
			return 0, false
		}
		return r.Int(), true
	case r.CanUint():
		return int64(r.Uint()), true
	}
	return 0, false
}

// group writes a whole number with commas between thousands, in Western digits
// in both languages.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "\u2212", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
