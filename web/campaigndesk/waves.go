package campaigndesk

import (
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/waves"
	"bareed/web/front"
	"bareed/web/ui"
)

// wavesView is how far a campaign may go, what it waits for, and what its rules
// measure.
type wavesView struct {
	Warnings []warningView
	Waves    []waveView
	Why      string // what the next wave waits for; empty: nothing
	Rules    []ruleView
	At       time.Time
}

// warningView is what is worth a look and holds nothing.
type warningView struct{ Title, Text string }

type waveView struct {
	Title string
	Chip  map[string]any
	Step  string // CSS: of the list's marks
	When  *time.Time
}

type ruleView struct {
	Name, Rule, Measured string
	Chip                 map[string]any
}

// waveLook is a wave's colour and icon by its state.
var waveLook = map[string][2]string{"waiting": {"mute", "clock"}, "sending": {"ok", "play"}, "gate": {"wait", "hold"}, "passed": {"ok", "done"}}

func wavesOf(l ui.Locale, s waves.Course) *wavesView {
	v := &wavesView{At: s.At, Why: whyWaits(l, s)}
	for _, x := range s.Warnings {
		v.Warnings = append(v.Warnings, warningView{Title: l.Of("waves.warning", x.Reason),
			Text: l.Of("waves.warning", x.Reason+".text") + " " + l.T("waves.warned", "measured", x.Measured, "threshold", x.Threshold, "at", x.At)})
	}
	for i, w := range s.Waves {
		look := waveLook[w.State]
		x := waveView{Title: l.T("waves.up_to", "n", w.People), Chip: map[string]any{"kind": look[0], "icon": look[1], "text": l.Of("waves.state", w.State)},
			When: w.OpenedAt, Step: map[string]string{"waiting": "mute", "gate": "warn"}[w.State]}
		if i == len(s.Waves)-1 {
			x.Title = l.T("waves.rest", "n", w.People)
		}
		v.Waves = append(v.Waves, x)
	}
	for _, r := range s.Rules {
		chip := map[string]any{"kind": "ok", "icon": "check", "text": l.T("waves.fine")}
		switch {
		case r.Off:
			chip = map[string]any{"kind": "mute", "icon": "close", "text": l.T("waves.off")}
		case r.Over:
			chip = map[string]any{"kind": "warn", "icon": "hold", "text": l.T("waves.over")}
		case !r.Judged:
			chip = map[string]any{"kind": "mute", "icon": "clock", "text": l.T("waves.few")}
		}
		v.Rules = append(v.Rules, ruleView{Name: l.Of("waves.rule", r.Reason), Rule: r.Threshold, Measured: r.Measured, Chip: chip})
	}
	return v
}

// whyWaits says in a sentence what the next wave waits for.
func whyWaits(l ui.Locale, s waves.Course) string {
	switch s.Waits {
	case "":
		return ""
	case breaker.WaitsTime:
		return l.T("waves.waits.time", "at", *s.NextAt)
	case breaker.WaitsAnswer:
		return l.T("waves.waits.answers", "share", l.Percent(s.Answered, s.Accepted), "needed", strconv.FormatFloat(s.Needed, 'f', -1, 64), "at", *s.NextAt)
	}
	return l.Of("waves.waits", s.Waits)
}

// readWaves reads what the card of waves shows; nil before the launch, and after
// the end of a campaign that had none.
func (d *desk) readWaves(c *front.Call, tx pgx.Tx, now campaigns.Campaign) (*wavesView, error) {
	if now.RunID.IsZero() {
		return nil, nil
	}
	s, err := waves.ReadOf(c.Ctx(), tx, c.Actor().Workspace, now, d.limits)
	if err != nil || len(s.Waves)+len(s.Warnings) == 0 && now.State != campaigns.Running {
		return nil, err
	}
	return wavesOf(c.Locale(), s), nil
}

// waves draws the card anew, for a page that is open.
func (w *watch) waves() ([]byte, error) {
	var v *wavesView
	err := w.inWorkspace(func(c *front.Call, tx pgx.Tx) error {
		now, err := campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, w.campaign)
		if err != nil {
			return err
		}
		v, err = w.desk.readWaves(c, tx, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w.Fragment("campaign", "campaign-waves", v)
}
