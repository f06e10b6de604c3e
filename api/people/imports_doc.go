package people

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"bareed/api/front"
	"bareed/contacts"
)

// describeUpload adds to the description what a raw handler cannot say by its types.
func (d *Desk) describeUpload(op *huma.Operation) {
	front.Query([2]string{"settings", "The settings as JSON, as in the form"}, [2]string{"default_country", "Two letters: of numbers without country code"},
		[2]string{"mode", "both, add or update"}, [2]string{"encoding", "When it is not UTF-8 or UTF-16"}, [2]string{"delimiter", "When it cannot be told"},
		[2]string{"strict", "true: one wrong row refuses the file"}, [2]string{"again", "true: the same file again is meant"},
		[2]string{"filename", "Of a file sent as the body"})(op)
	settings := d.API().OpenAPI().Components.Schemas.Schema(reflect.TypeFor[contacts.Settings](), true, "Settings")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: "string"}},
		"multipart/form-data": {Schema: &huma.Schema{Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"settings": settings, // before the file
			"file":     {Type: "string", Format: "binary"},
		}}},
	}}
}
