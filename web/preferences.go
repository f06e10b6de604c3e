package web

import (
	"slices"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

func (s *Server) preferences() {
	s.Handle("POST /language", s.setLanguage)
	s.Handle("POST /appearance", s.setAppearance)
	s.Handle("POST /workspace", s.useWorkspace)
}

// setLanguage keeps the choice with the person, and in the browser for the
// pages before signing in.
func (s *Server) setLanguage(c *front.Call) error {
	lang := c.Form().Get("language")
	if !slices.Contains(ui.Languages(), lang) {
		return errs.New("invalid").At("/language", "field.one_of", "allowed", "en, ar")
	}
	if c.Signed {
		if err := accounts.SetLanguage(c.Ctx(), s.Front.Pool, c.Who, lang); err != nil {
			return err
		}
	}
	c.RememberLanguage(lang)
	return c.Redirect(c.Back())
}

func (s *Server) setAppearance(c *front.Call) error {
	theme := c.Form().Get("theme")
	if !slices.Contains([]string{"auto", "light", "dark"}, theme) {
		return errs.New("invalid").At("/theme", "field.one_of", "allowed", "auto, light, dark")
	}
	c.RememberTheme(theme)
	return c.Redirect(c.Back())
}

// useWorkspace goes to another workspace's home: the page that was open shows
// an object of the one left.
func (s *Server) useWorkspace(c *front.Call) error {
	ws, err := id.Parse[id.Workspace](c.Form().Get("workspace"))
	if err != nil {
		return errs.New("not_found")
	}
	if err := accounts.UseWorkspace(c.Ctx(), s.Front.Pool, c.Who, ws); err != nil {
		if errs.Is(err, "ref.not_found") {
			return errs.New("not_found")
		}
		return err
	}
	return c.Redirect("/")
}
