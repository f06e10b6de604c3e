package web

import "bareed/web/front"

func (s *Server) campaigns() {
	s.Handle("GET /campaigns", s.campaignsPage)
}

func (s *Server) campaignsPage(c *front.Call) error {
	return c.Render("campaigns", nil)
}
