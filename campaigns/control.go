package campaigns

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/guard"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/messages"
)

// Pause opens a person's stop on the campaign; paused already is the same
// answer. From the commit on at most one message per worker slot still leaves.
func Pause(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign) (Campaign, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return c, err
	}
	if !c.State.Launched() {
		return c, c.stateError()
	}
	opened, err := messages.OpenStop(ctx, tx, a.Workspace, messages.Opening{
		Scope: messages.ScopeCampaign, ScopeID: campaign, Reason: messages.Paused, By: a.String()})
	if err != nil || !opened {
		return c, err
	}
	// The event is the stop's own; the audit says who.
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "campaign.paused", Subject: campaign.String()})
	if err != nil {
		return c, err
	}
	return Get(ctx, tx, a.Workspace, campaign)
}

// ResumeRequest says which stops to clear beside the campaign's own pause.
type ResumeRequest struct {
	Stops      []id.Stop // these, also on the WABA and the portfolio
	ClearHolds bool      // every rule's stop on the campaign, its run, template and number
	Reason     string    // why the rules' stops may go; kept in the audit
}

// Resume clears persons' stops on the campaign, and the rules' stops that are
// named. A rule's stop needs a role that may override and a reason. Nothing
// open is the same answer.
func Resume(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, q ResumeRequest) (Campaign, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return c, err
	}
	if !c.State.Launched() {
		return c, c.stateError()
	}
	clear, err := q.choose(a, c)
	if err != nil {
		return c, err
	}
	cleared := make([]string, 0, len(clear))
	for _, s := range clear {
		if err := c.seen(ctx, tx, a, s); err != nil {
			return c, err
		}
		n, err := messages.ClearStops(ctx, tx, a.Workspace, messages.Clearing{ScopeID: c.scopeID(s.Scope, a.Workspace),
			Reason: s.Reason, By: a.String()})
		if err != nil {
			return c, err
		}
		if n > 0 {
			cleared = append(cleared, s.ID.String())
		}
	}
	if len(cleared) == 0 {
		return c, nil
	}
	detail := map[string]any{"stops": cleared}
	if q.Reason != "" {
		why := []rune(q.Reason)
		detail["reason"] = string(why[:min(len(why), 500)])
	}
	if err := record(ctx, tx, a, campaign, "campaign.resumed", detail); err != nil {
		return c, err
	}
	return Get(ctx, tx, a.Workspace, campaign)
}

// seen takes the template as the person who clears a stop saw it.
func (c *Campaign) seen(ctx context.Context, tx pgx.Tx, a accounts.Actor, s Stop) error {
	switch {
	case s.Reason == guard.Reason && s.OpenedBy == guard.By:
		return guard.Accept(ctx, tx, a, c.ID, s.Measured)
	case s.Scope == messages.ScopeTemplate:
		return guard.Seen(ctx, tx, a.Workspace, c.ID)
	}
	return nil
}

// choose picks the stops to clear and refuses those the caller may not.
func (q ResumeRequest) choose(a accounts.Actor, c Campaign) ([]Stop, error) {
	var chosen []Stop
	holds := false
	for _, s := range c.Stops {
		named := slices.Contains(q.Stops, s.ID)
		switch {
		case !s.ByRule && s.Scope == messages.ScopeCampaign:
			chosen = append(chosen, s)
		case named && s.Next == waitsForBudget:
			return nil, errs.New("budget.holds").At("/stops", "")
		case named && !nameable(s.Scope):
			return nil, errs.New("stop.not_clearable", "scope", s.Scope).At("/stops", "")
		case named, q.ClearHolds && clearable(s.Scope) && s.Next != waitsForBudget: // which would hold it again at once
			chosen = append(chosen, s)
			holds = true
		}
	}
	if !holds {
		return chosen, nil
	}
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return nil, err
	}
	if strings.TrimSpace(q.Reason) == "" {
		return nil, errs.New("field.required", "field", "reason").At("/reason", "")
	}
	return chosen, nil
}

// scopeID is what a stop of that scope hangs on for this campaign.
func (c *Campaign) scopeID(s messages.Scope, ws id.Workspace) [16]byte {
	switch s {
	case messages.ScopePortfolio:
		return c.portfolio
	case messages.ScopeWABA:
		return c.waba
	case messages.ScopeNumber:
		return c.NumberID
	case messages.ScopeTemplate:
		return c.TemplateID
	case messages.ScopeRun:
		return c.RunID
	case messages.ScopeCampaign:
		return c.ID
	}
	return ws
}

// sqlEndRun: of one whose time had not come nobody is planned any more.
const sqlEndRun = `
update run
set state = $3, ended_at = bareed_now(), lease_until = null,
    plan_done = plan_done or planned = 0 and starts_at > bareed_now()
where workspace_id = $1
  and campaign_id = $2
  and kind = 'campaign'
  and state in ('planning', 'running', 'finishing')`

// End stops the campaign for good; stopped already is the same answer. What is
// still ready is suppressed by Finish, in chunks; the claim refuses it from the
// commit on. Planning that is under way goes on, so that everybody is accounted for.
func End(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign) (Campaign, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return c, err
	}
	if c.State == Stopped {
		return c, nil
	}
	if err := c.move(ctx, tx, a.Workspace, Stopped); err != nil {
		return c, err
	}
	if _, err := tx.Exec(ctx, sqlEndRun, a.Workspace, c.ID, RunStopped); err != nil {
		return c, fmt.Errorf("stop the run: %w", err)
	}
	if err := record(ctx, tx, a, campaign, "campaign.stopped", map[string]any{"run": c.RunID}); err != nil {
		return c, err
	}
	return Get(ctx, tx, a.Workspace, campaign)
}
