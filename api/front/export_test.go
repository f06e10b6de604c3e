package front

import (
	"reflect"
	"strings"
)

// ScanJSON is the strict scanner.
func ScanJSON(b []byte) (any, error) { return scanJSON(b) }

// CheckShape compares a value with a type, given as a sample of it.
func CheckShape(v any, sample any) error { return checkShape(v, reflect.TypeOf(sample)) }

// Fingerprint hashes a streamed body in pieces of n bytes.
func Fingerprint(body, boundary string, n int) string {
	s := newStreamHash(boundary)
	for r := strings.NewReader(body); r.Len() > 0; {
		p := make([]byte, n)
		k, _ := r.Read(p)
		s.write(p[:k])
	}
	return string(s.sum())
}
