package web

import "bareed/web/front"

func (s *Server) numbers() {
	s.Handle("GET /numbers", s.numbersPage)
}

func (s *Server) numbersPage(c *front.Call) error {
	return c.Render("numbers", nil)
}
