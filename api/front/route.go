package front

import (
	"net/http"
	"strings"

	"bareed/accounts"
)

// Route is one row of the table of what can be called: who may, and what it
// answers.
type Route struct {
	Route    string          // "POST /v1/campaigns/{campaign}/launch"
	Action   accounts.Action // who may: accounts.Rules; empty only with Public or Operator
	Status   int             // when it succeeds
	Object   string          // kind of the object in the path, the name of its parameter
	Key      bool            // Idempotency-Key must be given
	Public   bool            // no credential
	Operator bool            // an operator's session; others get 404
	Open     bool            // also while the workspace is suspended
	Long     bool            // may take minutes: uploads, streams
	Doc      string          // one line for the OpenAPI description
}

// Method is the row's HTTP method.
func (r Route) Method() string { m, _, _ := strings.Cut(r.Route, " "); return m }

// Path is the row's path with its {names}.
func (r Route) Path() string { _, p, _ := strings.Cut(r.Route, " "); return p }

// Writes tells whether the route may change anything.
func (r Route) Writes() bool { return r.Method() != http.MethodGet && r.Method() != http.MethodHead }

// Described tells whether the route stands in the OpenAPI description; pages for
// people do not.
func (r Route) Described() bool {
	p := r.Path()
	return strings.HasPrefix(p, "/v1/") || strings.HasPrefix(p, "/webhooks/") || p == "/healthz" || p == "/readyz" || p == "/openapi.json"
}

// GinPath writes the path's {name} as gin does, :name.
func (r Route) GinPath() string { return ginPath(r.Path()) }

func ginPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}
