package web

import "bareed/web/front"

func (s *Server) templates() {
	s.Handle("GET /templates", s.templatesPage)
}

func (s *Server) templatesPage(c *front.Call) error {
	return c.Render("templates", nil)
}
