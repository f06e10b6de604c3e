// Package describe owns the words of the OpenAPI description: what each
// operation is called, what it is for, which problems it may answer with and an
// example of it. Schemas and parameters come from the handlers' types.
//
// api calls Finish when every route is registered. It calls no handler and
// reads no database.
package describe

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"bareed/api/front"
	"bareed/internal/errs"
)

// Finish completes the description of rows: names, tags, codes, limits, examples.
// A row without words of its own is described by the table alone; Missing lists
// those, and a test fails for each.
func Finish(f *front.Front, rows []front.Route) error {
	doc := f.API().OpenAPI()
	head(doc, f.BaseURL)
	doc.Components.Headers, doc.Components.Responses = headers(), shared(doc)
	exact(doc)
	examples, err := readExamples()
	if err != nil {
		return err
	}
	table := byRoute()
	limits := map[string]any{"policy": f.RatePolicy(), "headers": []string{"RateLimit-Policy", "RateLimit", "Retry-After"}}
	for _, row := range rows {
		op := operationOf(doc, row)
		if op == nil {
			continue
		}
		words := table[row.Route]
		if words.id != "" {
			op.OperationID, op.Tags, op.Description = words.id, []string{words.tag}, strings.TrimSpace(words.about+" "+op.Description)
		}
		if strings.HasPrefix(row.Path(), "/v1/") {
			op.Extensions["x-rate-limit"] = limits
		}
		pathParams(op, row)
		problems(op, Codes(row))
		answerHeaders(op, row)
		if err := examples.into(op); err != nil {
			return err
		}
	}
	return nil
}

// Named is the operation's name and whether the row is described.
func Named(route string) (string, bool) {
	w, ok := byRoute()[route]
	return w.id, ok
}

func byRoute() map[string]words {
	table := map[string]words{}
	for _, w := range operations() {
		table[w.route] = w
	}
	return table
}

func operationOf(doc *huma.OpenAPI, row front.Route) *huma.Operation {
	item := doc.Paths[row.Path()]
	if item == nil {
		return nil
	}
	switch row.Method() {
	case http.MethodGet:
		return item.Get
	case http.MethodPost:
		return item.Post
	case http.MethodPut:
		return item.Put
	case http.MethodPatch:
		return item.Patch
	case http.MethodDelete:
		return item.Delete
	}
	return nil
}

// pathParams says what an identifier in the path looks like, also for handlers
// that read the path by themselves.
func pathParams(op *huma.Operation, row front.Route) {
	for _, part := range strings.Split(row.Path(), "/") {
		name, ok := strings.CutPrefix(part, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		at := slices.IndexFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "path" && p.Name == name })
		if at < 0 {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true})
			at = len(op.Parameters) - 1
		}
		op.Parameters[at].Description = "Identifier of the " + name
		op.Parameters[at].Schema = &huma.Schema{Type: "string"}
		if prefix := prefixes()[name]; prefix != "" {
			op.Parameters[at].Schema.Pattern = idPattern(prefix)
		}
	}
}

// headers are those that front adds to answers, described once.
func headers() map[string]*huma.Param {
	text := func(doc string) *huma.Param {
		return &huma.Param{Description: doc, Schema: &huma.Schema{Type: "string"}}
	}
	return map[string]*huma.Param{
		"Request-Id":           text("Also in every problem; give it to support"),
		"RateLimit-Policy":     text("The quotas (draft-ietf-httpapi-ratelimit-headers-10)"),
		"RateLimit":            text("What is left of the tightest quota, and seconds until it is full"),
		"Idempotency-Replayed": text("true: the first answer to this Idempotency-Key again"),
		"Retry-After":          {Description: "Seconds", Schema: &huma.Schema{Type: "integer"}},
	}
}

func add(res *huma.Response, names ...string) {
	if res.Headers == nil {
		res.Headers = map[string]*huma.Param{}
	}
	for _, name := range names {
		res.Headers[name] = &huma.Param{Ref: "#/components/headers/" + name}
	}
}

// answerHeaders names the headers that front adds to every answer.
func answerHeaders(op *huma.Operation, row front.Route) {
	for status, res := range op.Responses {
		if status == "default" {
			op.Responses[status] = &huma.Response{Ref: "#/components/responses/Problem"}
		}
		if status == "default" || res.Ref != "" {
			continue
		}
		add(res, "Request-Id")
		if strings.HasPrefix(row.Path(), "/v1/") {
			add(res, "RateLimit-Policy", "RateLimit")
		}
		if row.Method() == http.MethodPost && !row.Public && strings.HasPrefix(status, "2") {
			add(res, "Idempotency-Replayed")
		}
	}
}

// problems declares an answer for each status among the codes.
func problems(op *huma.Operation, codes []string) {
	op.Extensions["x-codes"] = codes
	byStatus := map[int][]string{}
	for _, code := range codes {
		if e, ok := errs.Lookup(code); ok && e.Status >= 400 {
			byStatus[e.Status] = append(byStatus[e.Status], code)
		}
	}
	for status, list := range byStatus {
		said := strings.Join(list, ", ")
		if res := op.Responses[strconv.Itoa(status)]; res != nil { // with a body of its own
			maps.Copy(res.Content, op.Responses["default"].Content)
			res.Description += ": " + said
			continue
		}
		shared := "Problem"
		switch {
		case status == http.StatusTooManyRequests:
			shared = "Limited"
		case status == http.StatusServiceUnavailable || slices.Contains(list, "idempotency.in_progress"):
			shared = "Later"
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + shared, Description: said}
	}
}

// shared are the answers that are problems.
func shared(doc *huma.OpenAPI) map[string]*huma.Response {
	schema := doc.Components.Schemas.Schema(reflect.TypeFor[errs.Problem](), true, "Problem")
	answer := func(doc, example string, more ...string) *huma.Response {
		p := errs.New(example).Problem("en")
		p.RequestID = "req_019ab3c5d1e77f40a1b2c3d4e5f60718"
		res := &huma.Response{Description: doc, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: p}}}
		add(res, append(more, "Request-Id")...)
		return res
	}
	return map[string]*huma.Response{
		"Problem": answer("A problem (RFC 9457)", "not_found"),
		"Later":   answer("A problem that passes; try again", "timeout", "Retry-After"),
		"Limited": answer("Too many requests", "rate.limited", "Retry-After", "RateLimit-Policy", "RateLimit"),
	}
}

func idPattern(prefix string) string { return fmt.Sprintf("^%s_[0-9a-f]{32}$", prefix) }

// errNoExample is said of an example that names no operation.
var errNoExample = errors.New("an example names no operation")
