//go:build unix

package demo

import (
	"context"
	"fmt"
	"io"
	"strings"

	"bareed/client"
	"bareed/internal/rig"
)

// seat is a person of the demo's workspace in one role.
type seat struct {
	Role  string
	Login rig.Login
}

// colleagues are the other roles beside the owner, with what is different for
// each.
var colleagues = []struct{ role, name, sees string }{
	{"admin", "Huda Al-Zahrani", "everything but naming owners"},
	{"marketer", "Sami Haddad", "people, opt-ins and campaigns; no settings, keys or downloads of people"},
	{"viewer", "Lina Farouk", "results only, phone numbers masked"},
}

// seats gives each role somebody who signs in, once for the demo's data.
func (s *show) seats(ctx context.Context) error {
	if len(s.kept.Seats) == len(colleagues) {
		return nil
	}
	t := s.kept.Tenant
	session, err := s.rig.SignIn(ctx, t.Owner) // members are a person's to add
	if err != nil {
		return err
	}
	_, domain, _ := strings.Cut(t.Owner.Email, "@")
	s.kept.Seats = nil
	for _, c := range colleagues {
		l := rig.Login{Email: c.role + "@" + domain, Password: t.Owner.Password}
		_, err := s.rig.Client(session).AddMember(ctx, client.NewMember{Email: l.Email, Name: c.name, Role: c.role, Password: l.Password})
		if err != nil && !client.IsCode(err, "member.exists") { // of a demo that was killed here
			return fmt.Errorf("add the %s: %w", c.role, err)
		}
		s.kept.Seats = append(s.kept.Seats, seat{c.role, l})
	}
	return s.save()
}

// signIns lists everybody who can sign in, and what each sees.
func (k kept) signIns(out io.Writer) {
	fmt.Fprintf(out, "%-10s %s / %s (owner: everything)\n", "sign in", k.Tenant.Owner.Email, k.Tenant.Owner.Password)
	for i, x := range k.Seats {
		fmt.Fprintf(out, "%-10s %s / %s (%s: %s)\n", "", x.Login.Email, x.Login.Password, x.Role, colleagues[i].sees)
	}
}
