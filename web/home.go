package web

import (
	"html/template"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/overview"
	"bareed/campaigns/warnings"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/templates"
	"bareed/web/front"
)

func (s *Server) home() {
	s.Handle("GET /{$}", s.homePage)
}

// homeDays is how far the chart goes back; the rate compares its last two weeks.
const homeDays = 30

// homeView is the page: the checklist until a campaign was launched, the
// figures afterwards.
type homeView struct {
	Checklist []map[string]any
	Left      int // steps of the checklist
	Limit     limitView
	Underway  overview.Underway
	Week      overview.Day // the last seven days together
	Before    overview.Day // the seven before
	Change    rateChange
	Replied   int64 // people who opted out in WhatsApp in the last seven days
	Recorded  int64 // and those of whom it was recorded by another way
	Attention []attention
	Chart     template.HTML
	At        time.Time
}

// homeFacts is what the page is made of, each from one query.
type homeFacts struct {
	days       []overview.Day
	underway   overview.Underway
	held       []overview.Held
	twice      []overview.Twice
	warned     []warnings.Recent
	portfolios []numbers.Portfolio
	numbers    []numbers.Number
	consents   consents.Overview
	imports    []contacts.Import
	paused     []templates.Template
	approved   []templates.Template
}

func (s *Server) homePage(c *front.Call) error {
	zone, now := c.Locale().Zone, c.Clock()
	var f homeFacts
	err := c.InWorkspace(func(tx pgx.Tx) error { return f.read(c, tx, zone, now) })
	if err != nil {
		return err
	}
	view := homeView{Underway: f.underway, Replied: f.consents.Replied, Recorded: f.consents.Recorded, At: now, Attention: f.attention(c)}
	if !f.underway.Ever {
		view.Checklist, view.Left = checklist(c, f)
		return c.Render("home", view)
	}
	view.Limit = widestUse(c, f.portfolios)
	view.Week, view.Before = sumDays(f.days[homeDays-7:]), sumDays(f.days[homeDays-14:homeDays-7])
	view.Change = changeOf(view.Before, view.Week)
	view.Chart = dayChart(c, f.days)
	return c.Render("home", view)
}

func (f *homeFacts) read(c *front.Call, tx pgx.Tx, zone *time.Location, now time.Time) (err error) {
	ctx, ws := c.Ctx(), c.Actor().Workspace
	read := func(fn func() error) {
		if err == nil {
			err = fn()
		}
	}
	read(func() (err error) { f.underway, err = overview.GetUnderway(ctx, tx, ws); return err })
	read(func() (err error) { f.days, err = overview.Days(ctx, tx, ws, now, zone, homeDays); return err })
	read(func() (err error) { f.held, err = overview.ListHeld(ctx, tx, ws, 20); return err })
	read(func() (err error) { f.twice, err = overview.ListTwice(ctx, tx, ws, now.AddDate(0, 0, -7)); return err })
	read(func() (err error) {
		f.warned, err = warnings.Since(ctx, tx, ws, now.AddDate(0, 0, -7), 10)
		return err
	})
	read(func() (err error) { f.portfolios, err = numbers.Portfolios(ctx, tx, ws); return err })
	read(func() (err error) { f.numbers, err = numbers.List(ctx, tx, ws); return err })
	read(func() (err error) {
		f.consents, err = consents.GetOverview(ctx, tx, ws, now.AddDate(0, 0, -7))
		return err
	})
	read(func() (err error) {
		f.imports, err = contacts.ListImports(ctx, tx, ws, id.Audience{}, id.Import{}, 10)
		return err
	})
	read(func() (err error) {
		f.paused, err = templates.List(ctx, tx, ws, templates.Filter{Status: "PAUSED"}, id.Template{}, 10)
		return err
	})
	if f.underway.Ever {
		return err
	}
	read(func() (err error) {
		f.approved, err = templates.List(ctx, tx, ws, templates.Filter{Status: templates.Approved}, id.Template{}, 1)
		return err
	})
	return err
}

// checklist is what is needed before the first campaign; each mark is computed.
func checklist(c *front.Call, f homeFacts) (list []map[string]any, left int) {
	l := c.Locale()
	for _, step := range []struct {
		key, href string
		done      bool
	}{
		{"number", "/numbers/connect", len(f.numbers) > 0},
		{"template", "/templates", len(f.approved) > 0},
		{"people", "/audiences", f.consents.Anybody},
		{"campaign", "/campaigns", false},
	} {
		list = append(list, map[string]any{"done": step.done, "first": !step.done && left == 0, "href": step.href,
			"title": l.Of("home.step", step.key), "text": l.Of("home.step", step.key+".text"), "action": l.Of("home.step", step.key+".action")})
		if !step.done {
			left++
		}
	}
	return list, left
}

func sumDays(days []overview.Day) (sum overview.Day) {
	for _, d := range days {
		sum.Accepted += d.Accepted
		sum.Delivered += d.Delivered
		sum.Failed += d.Failed
		sum.Suppressed += d.Suppressed
	}
	return sum
}

// rateChange compares two delivery rates in tenths of a percentage point.
type rateChange struct {
	Known bool
	Up    bool
	Down  bool
	By    float64
}

func changeOf(before, now overview.Day) rateChange {
	if before.Accepted == 0 || now.Accepted == 0 {
		return rateChange{}
	}
	points := 100 * (float64(now.Delivered)/float64(now.Accepted) - float64(before.Delivered)/float64(before.Accepted))
	tenths := int(points*10+1000.5) - 1000 // to the nearest, also below zero
	return rateChange{Known: true, Up: tenths > 0, Down: tenths < 0, By: float64(max(tenths, -tenths)) / 10}
}
