package waves

import (
	"context"
	"time"

	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/warnings"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages/pacing"
)

// Course is a campaign's waves, what its gate waits for, and what is measured of
// it against every rule.
type Course struct {
	CampaignID id.Campaign           `json:"campaign_id"`
	RunID      id.Run                `json:"run_id"`
	Waves      []Wave                `json:"waves" doc:"Empty: the run goes without waves."`
	Open       int                   `json:"open" doc:"The wave that may be sent now; 0: none."`
	Waits      string                `json:"waits,omitempty" enum:"plan,sending,stop,time,answers" doc:"What the next wave waits for; absent when nothing follows."`
	NextAt     *time.Time            `json:"next_at,omitempty" doc:"When the next wave may open at the earliest; while answers are missing, at the latest. Absent while a wave is on its way."`
	Accepted   int64                 `json:"accepted" doc:"Accepted by Meta so far, whatever came of it."`
	Answered   int64                 `json:"answered" doc:"Of those: delivered or failed."`
	Needed     float64               `json:"needed" doc:"Per cent of accepted that must be answered."`
	Rules      []breaker.Finding     `json:"rules" doc:"Measured since a person last let each of them pass."`
	Warnings   []warnings.RunWarning `json:"warnings" doc:"What is worth a look and holds nothing."`
	At         time.Time             `json:"at"`
}

// Read tells how a campaign's newest run stands; campaign.not_launched before it
// has one.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, limits breaker.Limits) (Course, error) {
	c, err := campaigns.Get(ctx, db, ws, campaign)
	if err != nil {
		return Course{}, err
	}
	if c.RunID.IsZero() {
		return Course{}, errs.New("campaign.not_launched", "state", c.State)
	}
	return ReadOf(ctx, db, ws, c, limits)
}

// ReadOf is Read of a campaign that was just read and has a run.
func ReadOf(ctx context.Context, db pg.DB, ws id.Workspace, c campaigns.Campaign, limits breaker.Limits) (Course, error) {
	out := Course{CampaignID: c.ID, RunID: c.RunID, Rules: []breaker.Finding{}}
	s, err := stand(ctx, db, ws, c.RunID)
	if err != nil {
		return out, err
	}
	if out.Waves, err = readWaves(ctx, db, ws, c.RunID); err != nil {
		return out, err
	}
	if out.Warnings, err = warnings.OfRun(ctx, db, ws, c.RunID); err != nil {
		return out, err
	}
	rules, err := readInForce(ctx, db, ws, c.ID, c.RunID, limits)
	if err != nil {
		return out, err
	}
	passes, err := readPasses(ctx, db, ws, c.RunID, s)
	if err != nil {
		return out, err
	}
	held, err := pacing.Count(ctx, db, ws, c.RunID)
	if err != nil {
		return out, err
	}
	for reason, p := range passes {
		if p.new { // noted with the next look, with about these figures
			p.delivered, p.held = s.delivered, held.Waiting()
			passes[reason] = p
		}
	}
	f, err := measure(ctx, db, ws, c.RunID, s, rules.policy, passes, held.Waiting())
	if err != nil {
		return out, err
	}
	out.At, out.Rules, out.Needed = s.now, rules.policy.Measure(f), rules.policy.WaveAnswered
	out.Accepted, out.Answered = s.accepted, s.delivered+s.failed
	out.tell(s, rules.policy, len(c.Stops) > 0)
	return out, nil
}

// tell says which wave is open and what the next one waits for.
func (out *Course) tell(s standing, p breaker.Policy, stopped bool) {
	i := open(out.Waves)
	if i < 0 {
		return
	}
	w := out.Waves[i]
	out.Open = w.Wave
	switch {
	case i == len(out.Waves)-1 || s.state != "running":
	case stopped:
		out.Waits = breaker.WaitsStop
	case w.Boundary == nil:
		out.Waits = "plan"
	case w.LeftAt == nil:
		out.Waits = "sending"
	default:
		waits, after := p.Pass(s.gate(w, false))
		at := w.LeftAt.Add(after)
		out.Waits, out.NextAt = waits, &at
		if waits == breaker.Opens {
			out.Waits = breaker.WaitsTime // with the next look
		}
	}
}
