package campaigndesk

import (
	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/occurrence"
	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/rhythm"
	"bareed/web/ui"
)

// firingsShown is how many past firings stand on a campaign's page.
const firingsShown = 20

// scheduleView is a campaign's schedule on its page.
type scheduleView struct {
	Lines  []rhythm.Line
	Coming []rhythm.Firing
	Notes  []string
	Again  bool // something recurs, or was missed
	Past   []pastFiring
}

// pastFiring is one firing that is not waiting any more.
type pastFiring struct {
	occurrence.Firing
	Time rhythm.Firing
	Chip map[string]any
	Why  string
	Late string
}

// readSchedule returns nil for a campaign without one.
func readSchedule(c *front.Call, tx pgx.Tx, now campaigns.Campaign) (*scheduleView, error) {
	if now.Schedule == nil && now.Rules == nil {
		return nil, nil
	}
	l := c.Locale()
	v := &scheduleView{Lines: rhythm.Lines(l, now.Rules), Again: now.Rules != nil && now.Rules.Recurring != nil}
	if waits := !now.State.Launched() || now.State == campaigns.Scheduled || !now.NextRunID.IsZero(); waits && !now.State.Ended() {
		v.Coming = rhythm.Coming(l, now.Rules, now.Schedule, 5)
		v.Notes = rhythm.Notes(l, now.Rules, now.Schedule, 5)
	}
	if len(v.Coming) == 0 && now.State.Launched() { // this one is on its way: those behind it
		if all := rhythm.Coming(l, now.Rules, now.Schedule, 6); len(all) > 1 {
			v.Coming = all[1:]
		}
	}
	list, err := occurrence.List(c.Ctx(), tx, c.Actor().Workspace, now.ID, id.Run{}, firingsShown)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		if f.State != "planning" {
			v.Past = append(v.Past, pastOf(l, f, now.Rules))
			v.Again = v.Again || f.State == "missed"
		}
	}
	if len(v.Lines) == 0 && len(v.Notes) == 0 && !v.Again {
		return nil, nil
	}
	return v, nil
}

func pastOf(l ui.Locale, f occurrence.Firing, r *schedule.Rules) pastFiring {
	look := map[string][2]string{"running": {"ok", "play"}, "finishing": {"info", "hold"}, "completed": {"ok", "done"}, "stopped": {"danger", "stop"},
		"missed": {"danger", "clock"}, "expired": {"warn", "clock"}}[f.State]
	due := schedule.Time{At: f.StartsAt, Zone: f.Zone, Local: f.Local, RecipientTime: r != nil && r.RecipientTime}
	p := pastFiring{Firing: f, Time: rhythm.Of(l, due), Chip: map[string]any{"kind": look[0], "icon": look[1], "text": l.Of("schedule.state", f.State)}}
	if f.Reason != "" {
		p.Why = rhythm.Missed(l, f.Reason)
	}
	if f.LateSeconds >= 60 {
		p.Late = l.T("schedule.late", "n", f.LateSeconds/60)
	}
	return p
}
