package web

import "bareed/web/front"

func (s *Server) templates() {
	s.Handle("GET /templates", s.templateList)
	s.Handle("POST /templates/sync", s.templateSync)
	s.Handle("GET /templates/{template}", s.templatePage)
}

// chip is the argument of the part of that name.
func chip(kind, icon, text string) map[string]any {
	return map[string]any{"kind": kind, "icon": icon, "text": text}
}

// qualityChip shows Meta's rating of a number or template.
func qualityChip(c *front.Call, quality string) map[string]any {
	look := map[string][2]string{"GREEN": {"ok", "check"}, "YELLOW": {"warn", "warning"}, "RED": {"danger", "danger"}}[quality]
	if look[0] == "" {
		look = [2]string{"mute", "help"}
	}
	return chip(look[0], look[1], c.Locale().Of("numbers.quality", quality))
}
