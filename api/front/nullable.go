package front

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Nullable tells "left out" (Set false), null (Value nil) and a value apart.
type Nullable[T any] struct {
	Set   bool
	Value *T
}

// UnmarshalJSON is called only for a member that is there.
func (n *Nullable[T]) UnmarshalJSON(b []byte) error {
	n.Set = true
	return json.Unmarshal(b, &n.Value)
}

// Schema implements huma.SchemaProvider.
func (n Nullable[T]) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Nullable = true
	return &s
}

// Change is what the noun takes: nil for left out, zero for null.
func (n Nullable[T]) Change(zero T) *T {
	if !n.Set {
		return nil
	}
	if n.Value == nil {
		return &zero
	}
	return n.Value
}
