//go:build unix

package prove

import (
	"testing"

	"bareed/client"
)

// The accounting identity: a total that is not the sum of its parts is found,
// whoever says it and whatever they say of themselves.
func TestIdentity(t *testing.T) {
	t.Parallel()
	whole := client.Report{Balanced: true, Total: 36, SuppressedTotal: 1, Ready: 2, Sending: 3, Held: 4, Accepted: 5, FailedTotal: 6, Unknown: 7, Unconfirmed: 8}
	off := whole
	off.Ready++
	admits := whole
	admits.Balanced = false
	for name, c := range map[string]struct {
		look func(s *sampler)
		seen int
		want string
	}{
		"rows that agree":            {func(s *sampler) { s.weigh("the rows", []balance{{"a", 5, 5}, {"b", 0, 0}}) }, 2, ""},
		"a row too few":              {func(s *sampler) { s.weigh("the rows", []balance{{"a", 5, 5}, {"b", 7, 6}}) }, 2, "the rows of run b: 6 of 7"},
		"a row too many":             {func(s *sampler) { s.weigh("the picture", []balance{{"a", 5, 6}}) }, 1, "the picture of run a: 6 of 5"},
		"a report that agrees":       {func(s *sampler) { s.weighReport("main", whole) }, 1, ""},
		"a report that only says so": {func(s *sampler) { s.weighReport("main", off) }, 1, "the report of main: 37 of 36"},
		"a report that admits it":    {func(s *sampler) { s.weighReport("main", admits) }, 1, "the report of main: 36 of 36"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sampler{}
			c.look(s)
			seen, bad := s.figures()
			if seen != c.seen || s.first() != c.want || bad > 0 != (c.want != "") {
				t.Errorf("%d seen, %d bad, first %q, want %q", seen, bad, s.first(), c.want)
			}
		})
	}
}
