package web

import (
	"net/url"
	"time"

	"bareed/internal/errs"
	"bareed/web/front"
	"bareed/web/ui"
)

func (s *Server) components() {
	s.Handle("GET /components", s.componentsPage)
	s.Handle("POST /components", s.tryComponents)
}

// componentsView is made-up content for the page that shows every component.
type componentsView struct {
	Now      time.Time
	Earlier  time.Time
	Segments []ui.Segment
}

func (s *Server) componentsView(c *front.Call) componentsView {
	l, now := c.Locale(), s.Front.Clock()
	return componentsView{
		Now: now, Earlier: now.Add(-3 * time.Minute),
		Segments: []ui.Segment{
			{Kind: "read", Label: l.T("components.read"), Value: 5480}, {Kind: "delivered", Label: l.T("components.delivered"), Value: 3725},
			{Kind: "sent", Label: l.T("components.sent"), Value: 363}, {Kind: "failed", Label: l.T("components.failed"), Value: 159},
		},
	}
}

func (s *Server) componentsPage(c *front.Call) error {
	return c.Render("components", s.componentsView(c), front.WithForm(ui.NewForm(url.Values{"speed": {"fast"}, "zone": {"Asia/Riyadh"}, "agree": {"yes"}})))
}

// tryComponents refuses whatever is sent, to show a form with faults.
func (s *Server) tryComponents(c *front.Call) error {
	f := c.Form()
	if f.Get("flash") != "" {
		c.Flash("done", "components.saved", "n", 3, "name", c.T("components.name"))
		return c.Redirect("/components")
	}
	f.Name("title", c.T("components.field.name")).Name("count", c.T("components.people"))
	f.Require(c.Locale(), "title")
	err := errs.New("invalid").At("/count", "field.too_large", "max", 1000)
	if !f.Fail(c.Lang(), err) {
		return err
	}
	return c.Refused(err, "components", s.componentsView(c), f)
}
