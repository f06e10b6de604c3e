package web

import "bareed/web/front"

func (s *Server) audiences() {
	s.Handle("GET /audiences", s.audiencesPage)
}

func (s *Server) audiencesPage(c *front.Call) error {
	return c.Render("audiences", nil)
}
