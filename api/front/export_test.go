package front

import (
	"net/http"
	"reflect"
	"strings"

	"bareed/accounts"
	"bareed/internal/clock"
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

// Rates is a limiter by a clock of the test's, and Take one request on it.
type Rates struct{ r *rates }

// NewRates makes one.
func NewRates(now clock.Clock, key, workspace int) Rates { return Rates{newRates(now, key, workspace)} }

// Take is one request.
func (r Rates) Take(a accounts.Actor) (http.Header, error) {
	h := http.Header{}
	return h, r.r.take(h, a)
}

// Buckets is how many callers are remembered.
func (r Rates) Buckets() int { return len(r.r.buckets) }
