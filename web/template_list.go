package web

import (
	"maps"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/templates"
	"bareed/web/front"
	"bareed/web/ui"
)

// templateRow is a template as the list shows it.
type templateRow struct {
	templates.Template
	Chip    map[string]any
	Rating  map[string]any
	Why     string // why it may not be sent; "" when it may
	Lang    string // BCP 47
	LangDir string
}

func viewTemplate(c *front.Call, t templates.Template) templateRow {
	r := templateRow{Template: t, Rating: qualityChip(c, t.Quality)}
	look, ok := map[string][2]string{"APPROVED": {"ok", "check"}, "PENDING": {"wait", "clock"}, "IN_APPEAL": {"wait", "clock"},
		"REJECTED": {"danger", "danger"}, "PAUSED": {"warn", "pause"}, "DISABLED": {"danger", "stop"}}[t.Status]
	if !ok {
		look = [2]string{"mute", "info"}
	}
	r.Chip = chip(look[0], look[1], c.Locale().Of("templates.status", t.Status))
	if e, refused := errs.As(t.CanSend()); refused {
		r.Why = e.Problem(c.Lang()).Detail
		if t.Status != templates.Approved {
			r.Why = c.Locale().Of("templates.why", t.Status)
		}
	}
	r.Lang, r.LangDir = templateLanguage(t.Language)
	return r
}

// templateLanguage writes Meta's code (en_US) as HTML does, with the script's
// direction.
func templateLanguage(code string) (lang, dir string) {
	b := []byte(code)
	for i := range b {
		if b[i] == '_' {
			b[i] = '-'
		}
	}
	switch code[:min(2, len(code))] {
	case "ar", "he", "fa", "ur":
		return string(b), "rtl"
	}
	return string(b), "ltr"
}

type templateListView struct {
	Rows      []templateRow
	Filters   []map[string]any
	Kinds     []map[string]any
	Filtered  bool
	Connected bool
	Older     string
	Newer     string
	ReadAt    *time.Time
}

func (s *Server) templateList(c *front.Call) error {
	f := templates.Filter{Status: c.Query("status"), Category: c.Query("category"), Language: c.Query("language"), Name: c.Query("name")}
	after, err := front.AfterID[id.Template](c, "templates")
	if err != nil {
		return err
	}
	view := templateListView{Filtered: f != templates.Filter{}}
	var list []templates.Template
	err = c.InWorkspace(func(tx pgx.Tx) error {
		if list, err = templates.List(c.Ctx(), tx, c.Actor().Workspace, f, after, c.Limit()+1); err != nil || len(list) > 0 {
			return err
		}
		all, err := numbers.List(c.Ctx(), tx, c.Actor().Workspace)
		view.Connected = len(all) > 0
		return err
	})
	if err != nil {
		return err
	}
	list, view.Older = front.Older(c, "templates", list, func(t templates.Template) string { return t.ID.String() })
	view.Newer = c.Newest()
	q := c.R.URL.Query()
	q.Del("cursor")
	for _, t := range list {
		view.Rows = append(view.Rows, viewTemplate(c, t))
		if view.ReadAt == nil || t.SyncedAt.After(*view.ReadAt) {
			view.ReadAt = &t.SyncedAt
		}
	}
	view.Filters, view.Kinds = templateFilters(c, q)
	return c.Render("templates", view, front.WithForm(ui.NewForm(q)))
}

// templateFilters are the links by status, which keep what else was chosen, and
// the choices of category.
func templateFilters(c *front.Call, q url.Values) (links, kinds []map[string]any) {
	for _, status := range []string{"", "APPROVED", "PENDING", "PAUSED", "REJECTED", "DISABLED"} {
		to := maps.Clone(q)
		to.Set("status", status)
		text := c.T("templates.all")
		if status == "" {
			to.Del("status")
		} else {
			text = c.Locale().Of("templates.status", status)
		}
		links = append(links, map[string]any{"href": "/templates?" + to.Encode(), "text": text, "current": q.Get("status") == status})
	}
	for _, category := range []string{"MARKETING", "UTILITY", "AUTHENTICATION"} {
		kinds = append(kinds, map[string]any{"value": category, "text": c.Locale().Of("templates.category", category)})
	}
	return links, kinds
}

// templateSync makes the mirror due; the worker reads it within seconds.
func (s *Server) templateSync(c *front.Call) error {
	err := c.InWorkspace(func(tx pgx.Tx) error { return templates.Refresh(c.Ctx(), tx, c.Actor()) })
	if err != nil {
		return err
	}
	c.Flash("done", "templates.syncing")
	return c.Redirect("/templates")
}
