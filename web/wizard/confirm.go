package wizard

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing/budget"
	"bareed/billing/estimate"
	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/rhythm"
	"bareed/web/ui"
)

// askAbove is how many recipients make us ask for the number in writing.
const askAbove = 1000

// confirmView is the last step's own part.
type confirmView struct {
	Ready   bool
	Why     string // the button cannot be pressed; empty when it can
	WhyStep string // of the step that helps
	Type    bool   // the number must be typed
	Now     bool
	Plan    []rhythm.Line // what recurs, hours
	Pace    string        // in words, as are the next
	Unknown string
	Graces  []map[string]any // how long the launch can be taken back
	Doubt   string           // the number's rating in words, when the launch needs a word about it
}

func (s *desk) confirmView(c *front.Call, v *view, f *ui.Form) (*confirmView, error) {
	w, err := c.Workspace()
	if err != nil {
		return nil, err
	}
	n := &confirmView{Now: v.Campaign.Schedule == nil, Plan: rhythm.Lines(c.Locale(), v.Campaign.Rules)}
	n.Pace = c.T("wizard.confirm.pace.full", "n", v.Number.BulkPerSecond()*60)
	if p := v.Campaign.PerMinute; p > 0 && p < v.Number.BulkPerSecond()*60 {
		n.Pace = c.T("wizard.confirm.pace.own", "n", p)
	}
	if within := v.Campaign.FinishWithin; within > 0 {
		n.Pace = c.T("wizard.confirm.pace.within", "time", c.Locale().Span(time.Duration(within)*time.Minute))
	}
	n.Unknown = c.Locale().Of("settings.unknown", cmp.Or(v.Campaign.UnknownPolicy, w.UnknownPolicy))
	for _, seconds := range slices.Compact(slices.Sorted(slices.Values([]int{w.UndoSeconds, 0, 30, 60, 300, 600}))) {
		text := c.T("wizard.grace.none")
		if seconds > 0 {
			text = c.Locale().Span(time.Duration(seconds) * time.Second)
		}
		n.Graces = append(n.Graces, map[string]any{"value": strconv.Itoa(seconds), "text": text})
	}
	if f.Get("undo") == "" {
		f.Set("undo", strconv.Itoa(w.UndoSeconds))
	}
	switch {
	case len(v.Lacks) > 0:
		n.Why, n.WhyStep = v.Lacks[0].Text, v.Lacks[0].Step
	case !v.Checked():
		n.Why, n.WhyStep = c.T("wizard.confirm.unchecked"), "check"
	case v.Check.Eligible == 0:
		n.Why, n.WhyStep = c.T("wizard.confirm.nobody"), "audience"
	case !c.Can(accounts.LaunchCampaigns):
		n.Why = c.T("wizard.confirm.role")
	default:
		n.Ready, n.Type = true, v.Check.Eligible >= askAbove
		if v.Number.Doubtful() && v.Template.Purpose() == "marketing" {
			n.Doubt = c.Locale().Of("numbers.quality", v.Number.Quality)
		}
		f.Set("expected", strconv.FormatInt(v.Check.Eligible, 10))
		f.Set("check", v.Check.ID.String())
	}
	return n, nil
}

// refuse says why a budget refuses the launch, if one does.
func (n *confirmView) refuse(m *money.EstimateView) {
	if why := m.Refused(); why != "" {
		n.Ready, n.Why, n.WhyStep = false, why, "check"
	}
}

// confirmLaunch launches. The form names the check and the number of people
// that were seen; a campaign has one launch, so that a second press or an old
// page finds it and changes nothing.
func (s *desk) confirmLaunch(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	f := c.Form()
	var v *view
	var l campaigns.Launched
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v, err = s.loadDraft(c, tx, campaign, "confirm"); err != nil || !v.editable() {
			return err
		}
		if q, ok := v.agreed(c, f); ok {
			if l, err = campaigns.Launch(c.Ctx(), tx, c.Actor(), campaign, q); err == nil {
				err = estimate.Fix(c.Ctx(), tx, c.Actor().Workspace, l.RunID)
			}
			if err == nil {
				err = budget.AtLaunch(c.Ctx(), tx, c.Actor(), l.RunID)
			}
		}
		return err
	})
	switch {
	case v != nil && !v.Campaign.ID.IsZero() && !v.editable() && err == nil, errs.Is(err, "campaign.state"):
		c.Flash("info", "wizard.already")
		return c.Redirect("/campaigns/" + campaign.String())
	case err == nil && !f.Refused():
		c.Flash("done", "wizard.launched", "n", l.Recipients)
		return c.Redirect("/campaigns/" + campaign.String())
	case err != nil && !v.failed(c, f, err):
		return err
	}
	return s.showStep(c, campaign, "confirm", f, err)
}

// agreed is the launch that the form asks for; false with a fault on the form
// when the number typed is another, or another check was made meanwhile.
func (v *view) agreed(c *front.Call, f *ui.Form) (q campaigns.LaunchRequest, ok bool) {
	q.Expected, _ = strconv.ParseInt(f.Get("expected"), 10, 64)
	if !v.Checked() || v.Check.Eligible == 0 {
		return q, true // the launch says what is wrong
	}
	if v.Check.ID.String() != f.Get("check") || v.Check.Eligible != q.Expected {
		f.Set("count", "")
		f.Add("", c.T("wizard.confirm.changed", "n", v.Check.Eligible))
		return q, false
	}
	if v.Check.Eligible >= askAbove && digits(f.Get("count")) != f.Get("expected") {
		f.Add("count", c.T("wizard.confirm.count", "n", v.Check.Eligible))
		return q, false
	}
	q.AcceptQuality = f.Get("accept_quality") == "yes"
	if n, err := strconv.Atoi(f.Get("undo")); err == nil && n >= 0 && n <= 600 {
		grace := time.Duration(n) * time.Second
		q.Undo = &grace
	}
	return q, true
}
