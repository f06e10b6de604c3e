package web

import "bareed/web/front"

func (s *Server) home() {
	s.Handle("GET /{$}", s.homePage)
}

func (s *Server) homePage(c *front.Call) error {
	return c.Render("home", nil)
}
