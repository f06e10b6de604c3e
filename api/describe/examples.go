package describe

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examples.json is written by a test that calls a running server; see
// api/contract_test.go.
//
//go:embed examples.json
var files embed.FS

// example is one call: what was sent and what came back.
type example struct {
	Request  any `json:"request,omitempty"`
	Response any `json:"response,omitempty"`
}

type exampleTable map[string]example

func readExamples() (exampleTable, error) {
	b, err := files.ReadFile("examples.json")
	if err != nil {
		return nil, fmt.Errorf("read the examples: %w", err)
	}
	table := exampleTable{}
	if err := json.Unmarshal(b, &table); err != nil {
		return nil, fmt.Errorf("read the examples: %w", err)
	}
	for name := range table {
		if !slices.ContainsFunc(operations(), func(w words) bool { return w.id == name }) {
			return nil, fmt.Errorf("%s: %w", name, errNoExample)
		}
	}
	return table, nil
}

// into puts an operation's example where it belongs: into its JSON bodies, or
// the one other type it has.
func (t exampleTable) into(op *huma.Operation) error {
	e, ok := t[op.OperationID]
	if !ok {
		return nil
	}
	if op.RequestBody != nil && e.Request != nil {
		put(op.RequestBody.Content, e.Request)
	}
	for status, res := range op.Responses {
		if strings.HasPrefix(status, "2") && e.Response != nil {
			put(res.Content, e.Response)
		}
	}
	return nil
}

func put(content map[string]*huma.MediaType, v any) {
	_, text := v.(string)
	for kind, m := range content {
		if (kind == "application/json") != text && (!text || kind == "text/csv" || kind == "text/plain") {
			m.Example = v
		}
	}
}
