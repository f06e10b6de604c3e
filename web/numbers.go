package web

func (s *Server) numbers() {
	s.Handle("GET /numbers", s.numberList)
	s.Handle("GET /numbers/connect", s.connectPage)
	s.Handle("POST /numbers/connect", s.connectNumber)
	s.Handle("GET /numbers/{number}", s.numberPage("number"))
	s.Handle("POST /numbers/{number}/token", s.replaceToken)
	s.Handle("GET /numbers/{number}/disconnect", s.numberPage("number-disconnect"))
	s.Handle("POST /numbers/{number}/disconnect", s.disconnectNumber)
}
