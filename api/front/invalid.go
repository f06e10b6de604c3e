package front

import (
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"bareed/api/front/strictjson"
	"bareed/internal/errs"
)

// The sentences of huma's validation that we give codes of our own. The group
// is the sentence's parameter.
var (
	saidRequired = regexp.MustCompile(`^expected required property (\S+) to be present|^required (?:\S+ )?parameter is missing`)
	saidShort    = regexp.MustCompile(`^expected length >= (\d+)`)
	saidLong     = regexp.MustCompile(`^expected length <= (\d+)`)
	saidFew      = regexp.MustCompile(`^expected array length >= (\d+)`)
	saidMany     = regexp.MustCompile(`^expected array length <= (\d+)`)
	saidLeast    = regexp.MustCompile(`^expected number >=? (\S+)`)
	saidMost     = regexp.MustCompile(`^expected number <=? (\S+)`)
	saidOneOf    = regexp.MustCompile(`^expected value to be one of "(.*)"`)
	saidTime     = regexp.MustCompile(`^expected string to be RFC 3339`)
	saidUnknown  = regexp.MustCompile(`^unknown query parameter`)
	saidDouble   = regexp.MustCompile(`^expected array items to be unique`)
)

// fieldOf gives one of huma's findings our code, parameters and pointer.
func fieldOf(d *huma.ErrorDetail) errs.Field {
	f := errs.Field{Pointer: pointerOf(d.Location), Code: "field.invalid"}
	for _, rule := range []struct {
		said  *regexp.Regexp
		code  string
		param string
	}{
		{saidRequired, "field.required", ""}, {saidShort, "field.too_short", "min"}, {saidLong, "field.too_long", "max"},
		{saidFew, "field.too_few", "min"}, {saidMany, "field.too_many", "max"}, {saidLeast, "field.too_small", "min"},
		{saidMost, "field.too_large", "max"}, {saidOneOf, "field.one_of", "allowed"}, {saidTime, "field.time", ""},
		{saidDouble, "field.duplicate", ""}, {saidUnknown, "param.unknown", ""},
	} {
		m := rule.said.FindStringSubmatch(d.Message)
		if m == nil {
			continue
		}
		f.Code = rule.code
		switch {
		case rule.code == "param.unknown":
			f.Params = errs.Params{"name": errs.Clip(strings.TrimPrefix(d.Location, "query."))}
		case rule.param != "":
			f.Params = errs.Params{rule.param: m[1]}
		case rule.code == "field.required" && m[1] != "":
			f.Pointer += "/" + strictjson.Token(m[1])
		}
		break
	}
	return f
}

// pointerOf turns "body.items[3].name" into "/items/3/name"; what is not in the
// body keeps its first word, as in "/query/limit".
func pointerOf(location string) string {
	rest := location
	if rest == "body" {
		return ""
	}
	rest = strings.TrimPrefix(rest, "body.")
	rest = strings.TrimPrefix(rest, "body")
	var b strings.Builder
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		b.WriteString("/" + strictjson.Token(part))
	}
	return b.String()
}
