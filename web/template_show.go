package web

import (
	"html/template"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/numbers/onboarding"
	"bareed/templates"
	"bareed/web/front"
)

type templateView struct {
	templateRow
	Preview    templates.Preview
	Media      string // the header's kind of medium, in words
	Parameters []templates.Parameter
	Stops      []stopLine
	History    []pastLine
	Chart      template.HTML // of its ratings
	Health     *healthView   // nil: Meta was not asked
}

// stopLine is an open stop in words.
type stopLine struct {
	messages.Stop
	Text string
}

// pastLine is a change at Meta in words.
type pastLine struct {
	numbers.Past
	Text string
	Kind string
}

func (s *Server) templatePage(c *front.Call) error {
	template, err := front.ID[id.Template](c, "template")
	if err != nil {
		return err
	}
	var view templateView
	err = c.InWorkspace(func(tx pgx.Tx) error {
		t, err := templates.Get(c.Ctx(), tx, c.Actor().Workspace, template)
		if err != nil {
			return err
		}
		stops, err := messages.OpenStops(c.Ctx(), tx, c.Actor().Workspace, t.ID)
		if err != nil {
			return err
		}
		past, err := numbers.History(c.Ctx(), tx, c.Actor().Workspace, 50, t.ID.String())
		view = templateView{templateRow: viewTemplate(c, t), Preview: templates.Show(t, templates.Examples(t)),
			Parameters: templates.Parameters(t), Stops: stopLines(c, stops), History: pastLines(c, past), Health: viewHealth(c, t.Health, t.HealthAt)}
		if err != nil {
			return err
		}
		ratings, err := numbers.HistoryOf(c.Ctx(), tx, c.Actor().Workspace, numbers.Of{Subjects: []string{t.ID.String()}, What: numbers.Quality, Limit: 200})
		view.Chart = qualityChart(c, ratings, t.Quality, time.Time{})
		return err
	})
	if err != nil {
		return err
	}
	if h := view.Preview.Header; len(h) > 2 && h[0] == '[' && h[len(h)-1] == ']' {
		view.Media, view.Preview.Header = c.Locale().Of("templates.kind", h[1:len(h)-1]), ""
	}
	return c.Render("template", view)
}

func stopLines(c *front.Call, stops []messages.Stop) (list []stopLine) {
	for _, o := range stops {
		list = append(list, stopLine{o, reasonText(c, o.Reason)})
	}
	return list
}

// pastLines words the history; what a rating or status became is told in words
// where there are some.
func pastLines(c *front.Call, past []numbers.Past) (list []pastLine) {
	l := c.Locale()
	for _, p := range past {
		family := map[string]string{numbers.Quality: "numbers.quality", numbers.Status: "numbers.status", numbers.Category: "templates.category",
			onboarding.Marketing: "transport.status", onboarding.CloudMarketing: "transport.switch"}[p.What]
		word := func(v string) any {
			n, err := strconv.ParseInt(v, 10, 64)
			switch {
			case p.What == numbers.Limit && err == nil:
				return n
			case p.What == numbers.Limit && v != "":
				return l.Of("numbers.limit_value", v)
			case family == "" || v == "":
				return v
			}
			return l.Of(family, v)
		}
		line := pastLine{Past: p, Kind: "mute", Text: l.T("numbers.became", "what", l.Of("numbers.what", p.What), "became", word(p.Became))}
		if p.Was != "" {
			line.Text = l.T("numbers.changed", "what", l.Of("numbers.what", p.What), "was", word(p.Was), "became", word(p.Became))
		}
		if p.What == numbers.Components {
			line.Text = l.T("numbers.content")
		}
		switch p.Became {
		case "RED", "BLOCKED", "DISABLED", "REJECTED", "invalid":
			line.Kind = "danger"
		case "YELLOW", "LIMITED", "PAUSED", "FLAGGED", "RESTRICTED":
			line.Kind = "warn"
		case "GREEN", "AVAILABLE", "APPROVED", "CONNECTED", "valid":
			line.Kind = "ok"
		}
		list = append(list, line)
	}
	return list
}
