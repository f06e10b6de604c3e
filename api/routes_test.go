package api_test

import (
	"slices"
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/api"
	"bareed/api/front"
	"bareed/internal/fixture"
)

// The table and what is really answered are the same set.
func TestRouteTableIsComplete(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var table []string
	for _, row := range api.TableRows() {
		table = append(table, row.Method()+" "+row.GinPath())
	}
	engine := r.server.Registered()
	for _, have := range engine {
		if !slices.Contains(table, have) {
			t.Errorf("%s is answered but has no row", have)
		}
	}
	for _, want := range table {
		if !slices.Contains(engine, want) {
			t.Errorf("%s has a row but is not answered", want)
		}
	}
	if len(engine) != len(table) {
		t.Errorf("%d routes, %d rows", len(engine), len(table))
	}
}

func TestRouteTableMakesSense(t *testing.T) {
	t.Parallel()
	for _, row := range api.TableRows() {
		switch {
		case row.Public && (row.Action != "" || row.Operator), row.Operator && row.Action != "":
			t.Errorf("%s: more than one way in", row.Route)
		case !row.Public && !row.Operator && row.Action == "":
			t.Errorf("%s: nobody may", row.Route)
		case row.Key && row.Method() != "POST":
			t.Errorf("%s: only POST takes an idempotency key", row.Route)
		case row.Doc == "" && strings.HasPrefix(row.Path(), "/v1/"):
			t.Errorf("%s: not described", row.Route)
		}
		if _, ok := accounts.RuleOf(row.Action); !ok && row.Action != "" {
			t.Errorf("%s: the action %q is not in accounts.Rules", row.Route, row.Action)
		}
		params := pathParams(row.Path())
		if row.Object != "" && !slices.Contains(params, row.Object) || row.Object == "" && len(params) > 0 && strings.HasPrefix(row.Path(), "/v1/") {
			t.Errorf("%s: its object is %q", row.Route, row.Object)
		}
		for _, p := range params {
			if _, ok := front.PathKinds()[p]; !ok && strings.HasPrefix(row.Path(), "/v1/") {
				t.Errorf("%s: {%s} is not checked", row.Route, p)
			}
			if strings.HasPrefix(row.Path(), "/v1/") && !front.PathKinds()[p](fixture.RandomID(t, p)) {
				t.Errorf("{%s}: a good id is refused", p)
			}
		}
	}
}

func pathParams(path string) []string {
	var names []string
	for _, part := range strings.Split(path, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var doc struct {
		OpenAPI string                               `json:"openapi"`
		Paths   map[string]map[string]map[string]any `json:"paths"`
	}
	r.call(t, "GET", "/openapi.json", nil, asNobody()).ok(t, 200).into(t, &doc)
	ids := make(map[any]bool)
	for _, row := range api.TableRows() {
		if !strings.HasPrefix(row.Path(), "/v1/") {
			continue
		}
		op, ok := doc.Paths[row.Path()][strings.ToLower(row.Method())]
		if !ok {
			t.Errorf("%s is not described", row.Route)
			continue
		}
		if ids[op["operationId"]] {
			t.Errorf("%s: operationId %v is not its own", row.Route, op["operationId"])
		}
		ids[op["operationId"]] = true
		responses, _ := op["responses"].(map[string]any)
		if len(responses) < 2 || responses["default"] == nil {
			t.Errorf("%s: answers %v", row.Route, responses)
		}
	}
}
