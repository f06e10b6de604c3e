//go:build unix

package demo

import (
	"strings"
	"testing"

	"bareed/internal/rig"
)

// Every role has a sign-in, and each is printed on a line of its own.
func TestEveryRoleSignsIn(t *testing.T) {
	t.Parallel()
	k := kept{Tenant: &rig.Tenant{Owner: rig.Login{Email: "owner@acme.example", Password: "words"}}}
	for _, c := range colleagues {
		k.Seats = append(k.Seats, seat{c.role, rig.Login{Email: c.role + "@acme.example", Password: "words"}})
	}
	var out strings.Builder
	k.signIns(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	roles := []string{"owner", "admin", "marketer", "viewer"}
	if len(lines) != len(roles) {
		t.Errorf("%d sign-ins for %d roles:\n%s", len(lines), len(roles), out.String())
	}
	for i, role := range roles {
		if i >= len(lines) || !strings.Contains(lines[i], role+"@acme.example / words ("+role+": ") {
			t.Errorf("no sign-in as %s:\n%s", role, out.String())
		}
	}
}
