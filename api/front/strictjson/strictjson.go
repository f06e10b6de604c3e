// Package strictjson judges JSON texts before Go's decoder reads them: strictly
// by RFC 8259, and by the Go type they will be read into, so that nothing is
// repaired, ignored or cut in silence and every fault has its place.
//
// api/front calls it for bodies, handlers for parts of a form. It must not know
// routes or requests.
package strictjson

import (
	"reflect"
	"strings"
)

// Check judges a whole text; t is the type it will be read into.
func Check(b []byte, t reflect.Type) error {
	v, err := Read(b)
	if err != nil {
		return err
	}
	return Fit(v, t)
}

// Token writes a name as one token of a JSON pointer (RFC 6901).
func Token(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
