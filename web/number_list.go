package web

import (
	"encoding/json"
	"html/template"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/numbers/onboarding"
	"bareed/web/front"
	"bareed/web/ui"
)

// numberView is a number with what holds it.
type numberView struct {
	numbers.Number
	Chip    map[string]any // of its status
	Rating  map[string]any // of its quality
	Limit   limitView
	Stops   []stopLine
	Problem string // why Meta could not be asked, in words
	History []pastLine
	Chart   template.HTML // of its ratings
	Health  *healthView   // nil: Meta was not asked
	Webhook string
	Account onboarding.Account // only on the number's own page
}

type numberListView struct {
	Portfolios []limitView
	Numbers    []numberView
}

func (s *Server) numberList(c *front.Call) error {
	var view numberListView
	var all []numbers.Number
	var portfolios []numbers.Portfolio
	var stops []messages.Stop
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		if all, err = numbers.List(c.Ctx(), tx, c.Actor().Workspace); err != nil || len(all) == 0 {
			return err
		}
		if portfolios, err = numbers.Portfolios(c.Ctx(), tx, c.Actor().Workspace); err != nil {
			return err
		}
		stops, err = messages.OpenStops(c.Ctx(), tx, c.Actor().Workspace, numberScopes(c, all)...)
		return err
	})
	if err != nil {
		return err
	}
	own, err := numbers.OwnPlaces(c.Ctx(), c.Pool.Engine(), c.Actor().Workspace, portfolios)
	if err != nil {
		return err
	}
	for _, p := range portfolios {
		v := viewLimit(c, p)
		v.Own = own[p.ID]
		view.Portfolios = append(view.Portfolios, v)
	}
	for _, n := range all {
		view.Numbers = append(view.Numbers, viewNumber(c, n, view.Portfolios, stops))
	}
	return c.Render("numbers", view)
}

// numberScopes is everything whose stop holds one of the numbers.
func numberScopes(c *front.Call, all []numbers.Number) [][16]byte {
	scopes := [][16]byte{c.Actor().Workspace}
	for _, n := range all {
		scopes = append(scopes, n.ID, n.WABA, n.Portfolio)
	}
	return scopes
}

func viewNumber(c *front.Call, n numbers.Number, portfolios []limitView, stops []messages.Stop) numberView {
	v := numberView{Number: n, Rating: qualityChip(c, n.Quality), Webhook: c.BaseURL + "/webhooks/meta/" + n.MetaAppID}
	for _, p := range portfolios {
		if p.Portfolio.ID == n.Portfolio {
			v.Limit = p
		}
	}
	for _, o := range stops {
		switch o.ScopeID {
		case [16]byte(c.Actor().Workspace), [16]byte(n.ID), [16]byte(n.WABA), [16]byte(n.Portfolio):
			v.Stops = append(v.Stops, stopLine{o, reasonText(c, o.Reason)})
		}
	}
	status := c.Locale().Of("numbers.status", n.Status)
	switch {
	case n.DisconnectedAt != nil:
		v.Chip = chip("mute", "close", c.T("numbers.disconnected"))
	case n.Status != numbers.Connected:
		v.Chip = chip("danger", "danger", status)
	case len(v.Stops) > 0:
		v.Chip = chip("warn", "hold", c.T("numbers.held"))
	default:
		v.Chip = chip("ok", "check", status)
	}
	if n.SyncProblem != "" {
		v.Problem = c.Locale().Of("numbers.problem", n.SyncProblem)
	}
	return v
}

// numberPage shows one number on a page of that name: its own, or the question
// before it is disconnected.
func (s *Server) numberPage(page string) front.Handler {
	return func(c *front.Call) error {
		number, err := front.ID[id.Number](c, "number")
		if err != nil {
			return err
		}
		view, err := s.oneNumber(c, number)
		if err != nil {
			return err
		}
		return c.Render(page, view, front.WithForm(ui.NewForm(nil)))
	}
}

// oneNumber is the whole view of one number, with its history.
func (s *Server) oneNumber(c *front.Call, number id.Number) (v numberView, err error) {
	err = c.InWorkspace(func(tx pgx.Tx) error {
		n, err := numbers.Get(c.Ctx(), tx, c.Actor().Workspace, number)
		if err != nil {
			return err
		}
		p, err := numbers.GetPortfolio(c.Ctx(), tx, n.Portfolio)
		if err != nil {
			return err
		}
		stops, err := messages.OpenStops(c.Ctx(), tx, c.Actor().Workspace, numberScopes(c, []numbers.Number{n})...)
		if err != nil {
			return err
		}
		past, err := numbers.History(c.Ctx(), tx, c.Actor().Workspace, 50, n.ID.String(), n.WABA.String(), n.Portfolio.String())
		v = viewNumber(c, n, []limitView{viewLimit(c, p)}, stops)
		if err != nil {
			return err
		}
		v.History = pastLines(c, past)
		ratings, err := numbers.HistoryOf(c.Ctx(), tx, c.Actor().Workspace, numbers.Of{Subjects: []string{n.ID.String()}, What: numbers.Quality, Limit: 200})
		if err != nil {
			return err
		}
		v.Account, err = onboarding.Get(c.Ctx(), tx, c.Actor().Workspace, n.WABA)
		v.Chart, v.Health = qualityChart(c, ratings, n.Quality, n.CreatedAt), viewHealth(c, n.Health, n.HealthAt)
		return err
	})
	return v, err
}

// healthView is Meta's answer to whether something can be sent.
type healthView struct {
	Chip    map[string]any
	At      time.Time
	Reasons []numbers.HealthReason
}

func viewHealth(c *front.Call, raw json.RawMessage, at *time.Time) *healthView {
	h := numbers.StoredHealth(raw)
	if at == nil || h.CanSend == "" {
		return nil
	}
	look := map[string][2]string{"AVAILABLE": {"ok", "check"}, "LIMITED": {"warn", "warning"}, "BLOCKED": {"danger", "danger"}}[h.CanSend]
	if look[0] == "" {
		look = [2]string{"mute", "help"}
	}
	return &healthView{chip(look[0], look[1], c.Locale().Of("quality.health", h.CanSend)), *at, h.Reasons}
}
