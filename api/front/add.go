package front

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/internal/errs"
)

// Add registers a handler for a row of the table. The actor comes from the
// credential and may already take the row's action.
func Add[I, O any](f *Front, key string, h func(ctx context.Context, a accounts.Actor, in *I) (*O, error), with ...func(*huma.Operation)) {
	op, ok := f.operation(key)
	if !ok {
		return
	}
	for _, w := range with {
		w(&op)
	}
	if body, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		f.bodies[key] = body.Type
	}
	huma.Register(f.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, callOf(ctx).who.Actor, in)
		if err == nil {
			return out, nil
		}
		p := f.asProblem(ctx, pathOf(ctx), err)
		return nil, huma.ErrorWithHeaders(p, problemHeaders(&p.Problem))
	})
}

// Raw registers a handler that reads or writes by itself: an upload, a stream,
// a page. The same gates stand before it. An error it returns becomes a problem
// if nothing was written yet.
func Raw(f *Front, key string, h func(c *gin.Context, a accounts.Actor) error, with ...func(*huma.Operation)) {
	op, ok := f.operation(key)
	if !ok {
		return
	}
	for _, w := range with {
		w(&op)
	}
	row := f.rows[key]
	if row.Described() {
		f.huma.OpenAPI().AddOperation(&op)
	}
	f.engine.Handle(op.Method, ginPath(op.Path), append(f.gates(row, true), func(c *gin.Context) {
		if err := h(c, callOf(c.Request.Context()).who.Actor); err != nil {
			if c.Writer.Written() {
				f.Log.ErrorContext(c.Request.Context(), "answer broken off", "route", key, "err", err)
				panic(http.ErrAbortHandler)
			}
			f.Refuse(c, err)
		}
	})...)
}

// operation starts the OpenAPI entry of a row.
func (f *Front) operation(key string) (huma.Operation, bool) {
	row, ok := f.rows[key]
	if !ok {
		f.faults = append(f.faults, fmt.Errorf("the route %q has no row in the table", key))
		return huma.Operation{}, false
	}
	status := fmt.Sprint(row.Status)
	op := huma.Operation{
		OperationID: operationID(row), Method: row.Method(), Path: row.Path(), Summary: row.Doc,
		DefaultStatus: row.Status, MaxBodyBytes: MaxJSON + 1,
		Responses: map[string]*huma.Response{
			status:    {Description: http.StatusText(row.Status)},
			"default": {Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: f.problemSchema()}}},
		},
		Extensions: map[string]any{},
		Hidden:     !row.Described(),
	}
	describeAccess(&op, row)
	return op, true
}

func (f *Front) problemSchema() *huma.Schema {
	return f.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[errs.Problem](), true, "Problem")
}

// operationID is stable: the method and the path's words, post-campaigns-launch.
func operationID(r Route) string {
	path := strings.TrimPrefix(r.Path(), "/v1/")
	words := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '{' || r == '}' || r == '*' || r == '.' })
	return strings.ToLower(r.Method()) + "-" + strings.Join(words, "-")
}

func describeAccess(op *huma.Operation, row Route) {
	rule, ok := accounts.RuleOf(row.Action)
	if !ok {
		return
	}
	op.Security = []map[string][]string{{"session": {}}}
	if rule.Scope != "" {
		op.Security = append(op.Security, map[string][]string{"key": {}})
		op.Extensions["x-scopes"] = []string{rule.Scope}
	}
	op.Extensions["x-roles"] = rule.Roles
	if row.Writes() && row.Method() == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Required: row.Key,
			Description: "The same key with the same request gives the first answer again, for seven days",
			Schema:      &huma.Schema{Type: "string"}})
	}
}

// adapter hands huma's operations to gin, behind our gates.
type adapter struct{ f *Front }

func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.f.engine.ServeHTTP(w, r) }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, h func(huma.Context)) {
	row, ok := a.f.rows[op.Method+" "+op.Path]
	if !ok {
		a.f.faults = append(a.f.faults, errors.New("huma registered "+op.Method+" "+op.Path+" by itself"))
		return
	}
	a.f.engine.Handle(op.Method, ginPath(op.Path), append(a.f.gates(row, false), func(c *gin.Context) {
		h(humagin.NewContext(op, c))
	})...)
}

type pathKey struct{}

func pathOf(ctx context.Context) string {
	p, _ := ctx.Value(pathKey{}).(string)
	return p
}

// Bare registers a door that judges everything by itself: only the time is
// limited. It is for callers whose credential is a signature over the body.
func Bare(f *Front, key string, h func(c *gin.Context) error) {
	row, ok := f.rows[key]
	if !ok {
		f.faults = append(f.faults, fmt.Errorf("the route %q has no row in the table", key))
		return
	}
	if op, ok := f.operation(key); ok && row.Described() {
		f.huma.OpenAPI().AddOperation(&op)
	}
	f.engine.Handle(row.Method(), row.GinPath(), func(c *gin.Context) { f.limitTime(c, row) }, func(c *gin.Context) {
		if err := h(c); err != nil {
			f.Refuse(c, err)
		}
	})
}
