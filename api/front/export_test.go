package front

import "strings"

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
