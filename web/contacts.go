package web

import "bareed/web/front"

func (s *Server) contacts() {
	s.Handle("GET /contacts", s.contactsPage)
}

func (s *Server) contactsPage(c *front.Call) error {
	return c.Render("contacts", nil)
}
