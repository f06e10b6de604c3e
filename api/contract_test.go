package api_test

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"bareed/api"
	"bareed/internal/errs"
)

// contract is the OpenAPI description as a judge of answers. Every answer that
// any test of this package gets is held against it, see rig.call.
type contract struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	mu       sync.Mutex // the compiler's
}

const contractURL = "https://bareed.example/openapi.json"

var theContract = sync.OnceValues(func() (*contract, error) {
	b, err := api.Describe()
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	c := &contract{doc: doc.(map[string]any), compiler: jsonschema.NewCompiler()}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	return c, c.compiler.AddResource(contractURL, doc)
})

func newContract(t testing.TB) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatalf("read the description: %v", err)
	}
	return c
}

// at follows names into the document.
func (c *contract) at(names ...string) map[string]any {
	v := c.doc
	for _, name := range names {
		v, _ = v[name].(map[string]any)
	}
	return v
}

// valid holds JSON text against the schema at a place of the document.
func (c *contract) valid(t testing.TB, what string, body []byte, place ...string) {
	t.Helper()
	pointer := ""
	for _, name := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	c.mu.Lock()
	schema, err := c.compiler.Compile(contractURL + "#" + (&url.URL{Path: pointer}).EscapedPath())
	c.mu.Unlock()
	if err != nil {
		t.Errorf("%s: the schema: %v", what, err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s: %v: %s", what, err, body)
		return
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s is not as described: %v\n%s", what, err, body)
	}
}

// rowOf finds the table's row of a request.
func rowOf(method, path string) (api.Row, bool) {
	path, _, _ = strings.Cut(path, "?")
	got := strings.Split(path, "/")
	for _, row := range api.TableRows() {
		want := strings.Split(row.Path(), "/")
		if row.Method() == method && row.Described() && slices.EqualFunc(want, got, func(w, g string) bool {
			return w == g || strings.HasPrefix(w, "{") && g != ""
		}) {
			return row, true
		}
	}
	return api.Row{}, false
}

// judge holds an answer against the description of its operation.
func (c *contract) judge(t testing.TB, method, path string, a answer) {
	t.Helper()
	row, ok := rowOf(method, path)
	if !ok {
		return
	}
	what, status := row.Route+" "+strconv.Itoa(a.Status), strconv.Itoa(a.Status)
	op := []string{"paths", row.Path(), strings.ToLower(method)}
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if kind == "application/problem+json" {
		var p errs.Problem
		a.into(t, &p)
		c.valid(t, what, a.Body, "components", "schemas", "Problem")
		codes, _ := c.at(op...)["x-codes"].([]any)
		if !slices.Contains(codes, any(p.Code)) || c.at(append(op, "responses")...)[status] == nil {
			t.Errorf("%s answered with %s, which is not declared for it", what, p.Code)
		}
		return
	}
	place := append(op, "responses", status)
	if c.at(place...) == nil {
		t.Errorf("%s is not declared", what)
		return
	}
	content := c.at(append(place, "content")...)
	switch {
	case len(a.Body) == 0 && content == nil:
	case content[kind] == nil:
		t.Errorf("%s: the type %q is not declared", what, kind)
	case kind == "application/json":
		c.valid(t, what, a.Body, append(place, "content", kind, "schema")...)
	}
}

// The file in the repository is what the code says.
func TestDescriptionIsUpToDate(t *testing.T) {
	t.Parallel()
	want, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../docs/openapi.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/openapi.json is not what the code says (%v): go run ./cmd/dev openapi", err)
	}
}

// Names of operations are a promise to those who generate clients from them.
func TestOperationNames(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	var lines []string
	for _, row := range api.TableRows() {
		if !row.Described() {
			continue
		}
		op := c.at("paths", row.Path(), strings.ToLower(row.Method()))
		name, _ := op["operationId"].(string)
		lines = append(lines, name+" "+row.Route)
		if tags, _ := op["tags"].([]any); len(tags) != 1 || op["summary"] == "" {
			t.Errorf("%s: tags %v, summary %v: describe it in api/describe/operations.go", row.Route, tags, op["summary"])
		}
	}
	slices.Sort(lines)
	for i := 1; i < len(lines); i++ {
		a, _, _ := strings.Cut(lines[i-1], " ")
		if strings.HasPrefix(lines[i], a+" ") {
			t.Errorf("two operations are called %s", a)
		}
	}
	golden(t, "testdata/operations.golden", strings.Join(lines, "\n")+"\n")
}

// Nothing is described that is not in the table.
func TestDescriptionHasNothingMore(t *testing.T) {
	t.Parallel()
	for path, item := range newContract(t).at("paths") {
		for method := range item.(map[string]any) {
			if row, ok := rowOf(strings.ToUpper(method), path); !ok || row.Path() != path {
				t.Errorf("%s %s is described and has no row", method, path)
			}
		}
	}
}

// Every example is what its schema allows, and every operation with JSON has one.
func TestExamples(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	for path, item := range c.at("paths") {
		for method := range item.(map[string]any) {
			op := []string{"paths", path, method}
			c.example(t, append(op, "requestBody", "content", "application/json"), strings.HasPrefix(path, "/v1/"))
			for status := range c.at(append(op, "responses")...) {
				if strings.HasPrefix(status, "2") {
					c.example(t, append(op, "responses", status, "content", "application/json"), strings.HasPrefix(path, "/v1/"))
				}
			}
		}
	}
	for name := range c.at("components", "responses") {
		c.example(t, []string{"components", "responses", name, "content", "application/problem+json"}, true)
	}
}

func (c *contract) example(t *testing.T, place []string, needed bool) {
	t.Helper()
	content := c.at(place...)
	example, ok := content["example"]
	if content == nil || !ok && !needed {
		return
	}
	if !ok {
		t.Errorf("%s has no example: go test ./api -run . -update", strings.Join(place, " "))
		return
	}
	b, err := json.Marshal(example)
	if err != nil {
		t.Fatal(err)
	}
	c.valid(t, strings.Join(place, " "), b, append(place, "schema")...)
}

// Every reference inside the document leads somewhere.
func TestReferences(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok {
				if names := strings.Split(strings.TrimPrefix(ref, "#/"), "/"); c.at(names...) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, e := range x {
				walk(e)
			}
		}
	}
	walk(c.doc)
}
