package campaigndesk

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/difference"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/ui"
	"bareed/whatsapp/codes"
)

// differencesView is a campaign's check beside its run.
type differencesView struct {
	Campaign campaigns.Campaign
	Summary  *difference.Summary // nil before the launch
	Running  bool
	Line     string // from the eligible to the accepted
	Chart    template.HTML
	Groups   []differenceView
	File     string
}

// differenceView is one difference in words.
type differenceView struct {
	AtCheck   string
	Chip      map[string]any // what came of them
	Reason    string         // of that; empty: the chip says it all
	Code      string         // Meta's
	People    int64
	Why, Todo string
	Href      string // their file
}

// chartedGroups are drawn; a longer tail stands in the table alone.
const chartedGroups = 10

func (d *desk) differencesPage(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	var v differencesView
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v.Campaign, err = campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, campaign); err != nil || v.Campaign.RunID.IsZero() {
			return err
		}
		s, err := difference.Of(c.Ctx(), tx, c.Actor().Workspace, v.Campaign, id.Run{})
		v.Summary = &s
		return err
	})
	if err != nil {
		return err
	}
	if v.Summary != nil {
		v.words(c.Locale())
	}
	return c.Render("campaign-differences", v)
}

// words puts the figures into words and a drawing.
func (v *differencesView) words(l ui.Locale) {
	s, lacks := v.Summary, missing(l, v.Campaign)
	v.Running = slices.Contains([]campaigns.RunState{campaigns.RunPlanning, campaigns.RunRunning, campaigns.RunFinishing}, s.RunState)
	v.Line = l.T("differences.sum", "eligible", s.CheckEligible, "missed", s.NotReached, "besides", s.ReachedBesides, "accepted", s.RunAccepted)
	v.File = "/campaigns/" + v.Campaign.ID.String() + "/differences/rows.csv"
	chart := charts.Reasons{Frame: frame(l, "differences")}
	chart.Title, chart.Summary = l.T("differences.list"), l.T("differences.chart", "n", s.Different)
	chart.ShowTable = ""
	for i, g := range s.Differences {
		x := differenceOf(l, g, lacks)
		x.Href = v.File + "?" + url.Values{"at_check": {g.AtCheck}, "in_run": {g.InRun}}.Encode()
		v.Groups = append(v.Groups, x)
		if i < chartedGroups {
			chart.Items = append(chart.Items, charts.Item{Label: x.pair(l), Value: float64(g.People), Class: fateClass(g.InRun), Note: l.Percent(g.People, s.People)})
		}
	}
	v.Chart = chart.HTML()
}

// pair names a difference in one line.
func (x differenceView) pair(l ui.Locale) string {
	run := x.Reason
	switch {
	case x.Code != "":
		run = x.Code
	case run == "":
		run, _ = x.Chip["text"].(string)
	}
	return l.T("differences.pair", "check", x.AtCheck, "run", run)
}

func differenceOf(l ui.Locale, g difference.Group, lacks string) differenceView {
	x := differenceView{People: g.People, AtCheck: l.Of("wizard.reason", g.AtCheck)}
	switch g.AtCheck {
	case difference.Eligible:
		x.AtCheck = l.T("wizard.eligible")
	case difference.NotThere:
		x.AtCheck = l.T("differences.not_there")
	}
	look := messageLook[fateState(g.InRun)]
	x.Chip = map[string]any{"kind": look[0], "icon": look[1], "text": l.Of("people.state", fateState(g.InRun))}
	switch fateState(g.InRun) {
	case messages.Accepted:
		x.Todo = l.T("differences.todo.accepted")
	case messages.Ready:
		x.Todo = l.T("differences.todo.waiting")
	case messages.Unknown:
		x.Todo = l.T("differences.todo.unknown")
	case messages.Unconfirmed:
		x.Todo = l.T("reasons.advice.no_answer")
	case messages.Failed:
		x.Reason, x.Todo = known(l, "reasons.text.", g.InRun), known(l, "reasons.advice.", g.InRun)
		if code, ok := codes.OfReason(g.InRun); ok {
			told := codes.Tell(l.Lang, code, true)
			x.Code, x.Reason, x.Todo = g.InRun[len("meta_"):], told.Cause, told.Action
		}
	case messages.Suppressed:
		x.Reason, x.Todo = whyNot(l, g.InRun, lacks), known(l, "reasons.advice.", g.InRun)
	}
	if g.InRun == difference.NotThere {
		x.Chip["text"], x.Todo, x.Reason = l.T("differences.gone"), l.T("differences.todo.not_there"), ""
	}
	x.Why = whyDifferent(l, g, x.Reason)
	return x
}

// fateState is the state of a message that stands for a fate in the run.
func fateState(fate string) messages.State {
	switch fate {
	case difference.Accepted:
		return messages.Accepted
	case difference.Waiting:
		return messages.Ready
	case "unknown", "unconfirmed", "failed":
		return messages.State(fate)
	case "render":
		return messages.Failed
	}
	if _, ok := codes.OfReason(fate); ok {
		return messages.Failed
	}
	return messages.Suppressed
}

// fateClass is a fate's colour in a drawing.
func fateClass(fate string) string {
	switch fateState(fate) {
	case messages.Accepted:
		return "c-accepted"
	case messages.Ready:
		return "c-waiting"
	case messages.Failed:
		return "c-failed"
	case messages.Unknown, messages.Unconfirmed:
		return "c-4"
	}
	return "c-suppressed"
}

// whyDifferent says what changed between the check and the run; cause is why a
// message failed.
func whyDifferent(l ui.Locale, g difference.Group, cause string) string {
	state := fateState(g.InRun)
	if g.InRun == difference.NotThere {
		return l.T("differences.why.gone")
	}
	if state == messages.Ready {
		return l.T("differences.why.waiting")
	}
	var first, then string
	switch {
	case g.AtCheck == difference.NotThere:
		first = l.T("differences.why.joined")
	case g.AtCheck == difference.Eligible && state == messages.Suppressed:
		first = known(l, "differences.left.", g.InRun)
	case g.AtCheck == difference.Eligible:
	case state == messages.Suppressed:
		first = l.T("differences.why.other")
	default:
		first = known(l, "differences.back.", g.AtCheck)
	}
	switch state {
	case messages.Failed:
		then = l.T("differences.why.failed", "cause", cause)
	case messages.Unknown, messages.Unconfirmed:
		then = l.Of("differences.why", state)
	}
	if first == "" || then == "" {
		return first + then
	}
	return first + " " + then
}

// differencesFile writes everybody who differs as CSV: the API's file of the same
// name.
func (d *desk) differencesFile(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	ws := c.Actor().Workspace
	var p difference.Pair
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		p, err = difference.Find(c.Ctx(), tx, ws, campaign, id.Run{})
		return err
	})
	if err != nil {
		return err
	}
	c.Wrote()
	c.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.W.Header().Set("Content-Disposition", `attachment; filename="`+p.Run.String()+`-differences.csv"`)
	want := difference.Want{AtCheck: c.Query("at_check"), InRun: c.Query("in_run"), Reveal: c.Can(accounts.SeePhones)}
	patience := http.NewResponseController(c.W)
	return difference.WriteCSV(c.W, func(at difference.Place) (rows []difference.Row, then difference.Place, err error) {
		_ = patience.SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer can
		err = c.InWorkspace(func(tx pgx.Tx) (err error) {
			rows, then, err = p.Next(c.Ctx(), tx, ws, want, at)
			return err
		})
		return rows, then, err
	})
}
