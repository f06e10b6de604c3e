package web

import "bareed/web/campaigndesk"

func (s *Server) campaigns() { campaigndesk.Register(s.Front, s.Live, s.Limits) }
