package describe

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"bareed/internal/id"
)

// exact corrects what huma takes from Go types loosely: identifiers are any
// text to it, and a pointer to an object is never null.
func exact(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas
	for name, schema := range schemas.Map() {
		t := schemas.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			property := schema.Properties[tag]
			if property == nil || !f.IsExported() {
				continue
			}
			schema.Properties[tag] = exactField(property, f.Type, tag, strings.Contains(options, "omit"))
		}
	}
}

func exactField(s *huma.Schema, t reflect.Type, name string, omitted bool) *huma.Schema {
	switch {
	case t.Kind() == reflect.Slice && s.Items != nil && patternOf(t.Elem()) != "":
		s.Items.Pattern = patternOf(t.Elem())
	case t.Kind() == reflect.Pointer && patternOf(t.Elem()) != "":
		s.Pattern = patternOf(t.Elem())
	case patternOf(t) != "" && (name == "id" || omitted):
		s.Pattern = patternOf(t)
	case patternOf(t) != "":
		s.Pattern = "^(" + strings.Trim(patternOf(t), "^$") + ")?$" // empty: none
	case t.Kind() == reflect.Pointer && isObject(t.Elem()) && !omitted:
		return &huma.Schema{Description: s.Description, AnyOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null"}}}
	}
	return s
}

// patternOf is the form of an identifier type, empty for any other type.
func patternOf(t reflect.Type) string {
	if t == reflect.TypeFor[id.Message]() {
		return `^msg_[0-9a-f]{32}_[0-9]+$`
	}
	if t.PkgPath() != reflect.TypeFor[id.Message]().PkgPath() || t.Kind() != reflect.Array {
		return ""
	}
	text, ok := reflect.Zero(t).Interface().(interface{ String() string })
	if !ok {
		return ""
	}
	prefix, _, _ := strings.Cut(text.String(), "_")
	return idPattern(prefix)
}

func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() &&
		!reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// prefixes are the kinds of identifiers that stand in paths.
func prefixes() map[string]string {
	return map[string]string{
		"audience": "aud", "campaign": "cmp", "check": "chk", "contact": "con", "import": "imp", "job": "job", "key": "key",
		"number": "num", "template": "tpl", "user": "usr",
	}
}

// used lists the tags that operations have, in the order of the table.
func used() []string {
	var tags []string
	for _, w := range operations() {
		if !slices.Contains(tags, w.tag) {
			tags = append(tags, w.tag)
		}
	}
	return tags
}
