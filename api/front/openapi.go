package front

import (
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// describe is huma's configuration: no pages and paths of its own, problems
// instead of its error model, no links to schemas in answers.
func (f *Front) describe() huma.Config {
	c := huma.DefaultConfig("Bareed", "1")
	c.CreateHooks = nil
	c.DocsPath, c.SchemasPath, c.OpenAPIPath = "", "", ""
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{f.translate}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":     {Type: "http", Scheme: "bearer", Description: "An API key, bk_live_… or bk_test_…"},
		"session": {Type: "apiKey", In: "cookie", Name: SessionCookie},
	}
	return c
}

// OpenAPI is the description of every route under /v1, as JSON.
func (f *Front) OpenAPI() ([]byte, error) {
	b, err := json.MarshalIndent(f.huma.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI description: %w", err)
	}
	return append(b, '\n'), nil
}
