package api_test

import (
	"reflect"
	"strings"
	"testing"

	"bareed/accounts"
)

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	who := asSession(r.session(t, accounts.Owner))
	const path = "/v1/workspace"
	for name, c := range map[string]struct {
		body    string
		status  int
		code    string
		pointer string
		detail  string // a part of it
	}{
		"J1 broken":          {"{\n  \"name\": \"x\",,\n}", 400, "json.syntax", "", "line 2, column 15"},
		"J1 nothing":         {"  ", 400, "json.syntax", "", "line 1, column 3"},
		"J1 cut":             {`{"name":"x`, 400, "json.syntax", "", "line 1"},
		"J1 comment":         {`{/*x*/}`, 400, "json.syntax", "", ""},
		"J1 leading zero":    {`{"undo_seconds":01}`, 400, "json.syntax", "", ""},
		"J2 trailing":        {`{}{}`, 400, "json.trailing", "", "column 3"},
		"J3 unknown":         {`{"nmae":"x"}`, 422, "json.unknown_field", "/nmae", `did you mean "name"`},
		"J3 other case":      {`{"Name":"x"}`, 422, "json.unknown_field", "/Name", `"name"`},
		"J4 twice":           {`{"name":"x","name":"y"}`, 400, "json.duplicate_key", "/name", ""},
		"J4 twice escaped":   {`{"name":"x","n\u0061me":"y"}`, 400, "json.duplicate_key", "/name", ""},
		"J5 type":            {`{"retention_days":"80"}`, 400, "json.type", "/retention_days", "number"},
		"J5 text":            {`{"name":5}`, 400, "json.type", "/name", "string"},
		"J5 not an object":   {`[]`, 400, "json.type", "", "object"},
		"J6 overflow":        {`{"retention_days":1e999}`, 400, "json.number", "/retention_days", ""},
		"J6 2^53+1":          {`{"retention_days":9007199254740993}`, 400, "json.number", "/retention_days", ""},
		"J6 fraction":        {`{"retention_days":7.5}`, 400, "json.number", "/retention_days", ""},
		"J7 deep":            {strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), 400, "json.too_deep", "", "32"},
		"J8 large":           {`{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body.too_large", "", "1 MB"},
		"J10 invalid UTF-8":  {"{\"name\":\"\xff\"}", 400, "json.encoding", "", "column 10"},
		"J10 lone surrogate": {`{"name":"\ud800"}`, 400, "json.encoding", "", ""},
		"J10 nul":            {`{"name":"\u0000"}`, 400, "json.encoding", "", ""},
		"J11 invisible":      {`{"name":"\u200b"}`, 422, "invalid", "/name", ""},
		"J22 mass":           {`{"state":"active","live":true}`, 422, "json.unknown_field", "/live", ""},
		"range":              {`{"retention_days":91}`, 422, "invalid", "/retention_days", ""},
		"choice":             {`{"content_mode":"all"}`, 422, "invalid", "/content_mode", ""},
		"empty":              {"", 400, "body.missing", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := r.call(t, "PATCH", path, c.body, who, header("If-Match", "*")).refused(t, c.status, c.code)
			if c.pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != c.pointer) {
				t.Errorf("places %+v, want %s", p.Errors, c.pointer)
			}
			if !strings.Contains(p.Detail, c.detail) {
				t.Errorf("detail %q lacks %q", p.Detail, c.detail)
			}
			if strings.Contains(p.Detail, "{") {
				t.Errorf("detail %q has an empty place", p.Detail)
			}
		})
	}
	for name, header := range map[string]with{
		"text": header("Content-Type", "text/plain"), "form": header("Content-Type", "application/x-www-form-urlencoded"), "none": header("Content-Type", ""),
		"latin1": header("Content-Type", "application/json; charset=latin1"), "gzip": header("Content-Encoding", "gzip"),
	} {
		t.Run("J9 "+name, func(t *testing.T) {
			t.Parallel()
			r.call(t, "PATCH", path, "{}", who, header).refused(t, 415, "content_type")
		})
	}
	r.call(t, "PATCH", path, `{"retention_days":3e1}`, who).refused(t, 400, "json.number")
	r.call(t, "PATCH", path, `{"retention_days":30}`, who, header("Content-Type", "application/json; charset=UTF-8"), header("If-Match", "*")).ok(t, 200)
	r.call(t, "GET", path, `{}`, who).refused(t, 400, "body.unexpected")
	r.call(t, "DELETE", "/v1/sessions/current", `{"x":1}`, who).refused(t, 422, "json.unknown_field")
}

func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.call(t, "POST", "/v1/api-keys", `{"live":true,"scopes":[]}`, asSession(r.session(t, accounts.Owner))).refused(t, 422, "invalid")
	got := make(map[string]string)
	for _, f := range p.Errors {
		got[f.Pointer] = f.Code
	}
	if want := map[string]string{"/name": "field.required", "/scopes": "field.too_few"}; !reflect.DeepEqual(got, want) {
		t.Errorf("faults %v, want %v", got, want)
	}
}
