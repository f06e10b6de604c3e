package front

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// What a raw handler takes and answers, which no types of it tell.

// Answers describes the JSON that a raw handler writes.
func Answers[T any](f *Front, name string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		schema := f.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, name)
		for status, res := range op.Responses {
			if status != "default" {
				res.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
			}
		}
	}
}

// AnswersText describes text of another kind, such as text/csv.
func AnswersText(kinds ...string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		for status, res := range op.Responses {
			if status == "default" {
				continue
			}
			if res.Content == nil {
				res.Content = map[string]*huma.MediaType{}
			}
			for _, kind := range kinds {
				res.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
			}
		}
	}
}

// Query describes parameters of the query: name and meaning.
func Query(params ...[2]string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		for _, p := range params {
			op.Parameters = append(op.Parameters, &huma.Param{Name: p[0], In: "query", Description: p[1], Schema: &huma.Schema{Type: "string"}})
		}
	}
}
