package sandbox

import (
	"bareed/sandbox/asset"
	"bareed/sandbox/hooks"
)

// meet needs mu; it gives a person's id in a portfolio and remembers the way back.
func (s *Server) meet(portfolioID, wa string) string {
	id := asset.UserID(portfolioID, wa)
	s.byUserID[id] = wa
	return id
}

// contactOf needs mu; it is the contacts block Meta shows for a person.
func (s *Server) contactOf(wa, id string) hooks.Contact {
	c := hooks.Contact{UserID: id, WaID: wa}
	c.Profile.Name = "Sandbox person"
	if p := s.people[wa]; p != nil {
		c.Profile.Name = def(p.Name, c.Profile.Name)
		c.Profile.Username = p.Username
		if p.Hidden {
			c.WaID = ""
		}
	}
	return c
}
