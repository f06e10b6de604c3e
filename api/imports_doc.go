package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"bareed/contacts"
)

// describeUpload adds to the description what a raw handler cannot say by its types.
func (s *Server) describeUpload(op *huma.Operation) {
	text := &huma.Schema{Type: "string"}
	for _, p := range [][2]string{
		{"settings", "The settings as JSON, as in the form"}, {"default_country", "Two letters: of numbers without country code"},
		{"mode", "both, add or update"}, {"encoding", "When it is not UTF-8 or UTF-16"}, {"delimiter", "When it cannot be told"},
		{"strict", "true: one wrong row refuses the file"}, {"again", "true: the same file again is meant"}, {"filename", "Of a file sent as the body"},
	} {
		op.Parameters = append(op.Parameters, &huma.Param{Name: p[0], In: "query", Description: p[1], Schema: text})
	}
	settings := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[contacts.Settings](), true, "Settings")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: text},
		"multipart/form-data": {Schema: &huma.Schema{Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"settings": settings, // before the file
			"file":     {Type: "string", Format: "binary"},
		}}},
	}}
}
