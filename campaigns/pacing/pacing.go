// Package pacing owns what a person decides about messages that Meta held for
// quality assessment and then dropped: to have them sent anew.
//
// api and web call it. What is sent anew passes every gate of the claim like any
// other message. It must not know HTTP or the queue.
package pacing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/guard"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/messages/pacing"
)

// Held is what Meta holds of a campaign.
type Held struct {
	CampaignID id.Campaign     `json:"campaign_id"`
	RunID      id.Run          `json:"run_id"`
	State      campaigns.State `json:"state"`
	pacing.Counts
	Returnable bool `json:"returnable" doc:"Dropped ones can be sent anew: the campaign was not stopped and its time is not over"`
}

const sqlExpired = `
select coalesce(r.expires_at <= bareed_now(), false)
from run r
where r.workspace_id = $1
  and r.id = $2`

// Read tells what Meta holds; campaign.not_launched before there is a run.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Held, error) {
	c, err := campaigns.Get(ctx, db, ws, campaign)
	if err != nil {
		return Held{}, err
	}
	s := Held{CampaignID: c.ID, RunID: c.RunID, State: c.State}
	if c.RunID.IsZero() {
		return s, errs.New("campaign.not_launched", "state", c.State)
	}
	var expired bool
	if err := db.QueryRow(ctx, sqlExpired, ws, c.RunID).Scan(&expired); err != nil {
		return s, fmt.Errorf("read the run: %w", err)
	}
	s.Counts, err = pacing.Count(ctx, db, ws, c.RunID)
	s.Returnable = !expired && slices.Contains([]campaigns.State{campaigns.Running, campaigns.Finishing, campaigns.Completed}, c.State)
	return s, err
}

// Returned is the decision as it stands; the same one repeated is answered alike.
type Returned struct {
	CampaignID id.Campaign     `json:"campaign_id"`
	RunID      id.Run          `json:"run_id"`
	State      campaigns.State `json:"state"`
	Messages   int64           `json:"messages" doc:"People who may be sent to anew"`
	At         time.Time       `json:"at"`
}

const deed = "campaign.held_returned"

const sqlLockCampaign = `
select 1
from campaign
where workspace_id = $1
  and id = $2
for update`

// Return makes every dropped message of the campaign ready again. expected is how
// many the person saw; any other figure is refused. The same call again, when none
// is left, is answered like the first. It clears no stop: the template's own, which
// came with the drop, stays until it is cleared.
func Return(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Returned, error) {
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return Returned{}, err
	}
	if expected < 1 {
		return Returned{}, errs.New("campaign.held_expected").At("/expected", "")
	}
	if _, err := tx.Exec(ctx, sqlLockCampaign, a.Workspace, campaign); err != nil {
		return Returned{}, fmt.Errorf("lock the campaign: %w", err)
	}
	s, err := Read(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return Returned{}, err
	}
	if !s.Returnable {
		return Returned{}, errs.New("campaign.not_resendable", "state", s.State)
	}
	n, err := pacing.LockDropped(ctx, tx, a.Workspace, s.RunID)
	if err != nil {
		return Returned{}, err
	}
	if n == 0 {
		return repeated(ctx, tx, a.Workspace, s, expected)
	}
	if n != expected {
		return Returned{}, errs.New("campaign.held_changed", "expected", expected, "open", n).At("/expected", "")
	}
	return carryOut(ctx, tx, a, s, n)
}

const sqlLast = `
select e.data, e.at
from campaign_event e
where e.workspace_id = $1
  and e.campaign_id = $2
  and e.type = 'campaign.held_returned'
order by e.sequence desc
limit 1`

func repeated(ctx context.Context, tx pgx.Tx, ws id.Workspace, s Held, expected int64) (Returned, error) {
	var raw json.RawMessage
	out := Returned{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State}
	err := tx.QueryRow(ctx, sqlLast, ws, s.CampaignID).Scan(&raw, &out.At)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return out, fmt.Errorf("look for the same decision: %w", err)
	}
	var data struct {
		Run      id.Run
		Messages int64
	}
	if err == nil {
		if err := json.Unmarshal(raw, &data); err != nil {
			return out, fmt.Errorf("look for the same decision: %w", err)
		}
	}
	if data.Messages != expected || data.Run != s.RunID {
		return out, errs.New("campaign.held_changed", "expected", expected, "open", 0).At("/expected", "")
	}
	out.Messages = data.Messages
	return out, nil
}

func carryOut(ctx context.Context, tx pgx.Tx, a accounts.Actor, s Held, n int64) (Returned, error) {
	out := Returned{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State, Messages: n}
	moved, err := pacing.Return(ctx, tx, a.Workspace, s.RunID)
	if err != nil {
		return out, err
	}
	if moved != n {
		return out, fmt.Errorf("make dropped messages ready: %d were locked, %d moved", n, moved)
	}
	if out.State, err = reopen(ctx, tx, a.Workspace, s); err != nil {
		return out, err
	}
	detail := map[string]any{"run": s.RunID, "messages": n}
	if err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: deed, Subject: s.CampaignID.String(), Detail: detail}); err != nil {
		return out, err
	}
	if err := messages.CampaignEvent(ctx, tx, a.Workspace, s.CampaignID, deed, detail); err != nil {
		return out, err
	}
	if err := campaigns.Snapshot(ctx, tx, a.Workspace, s.RunID); err != nil {
		return out, err
	}
	if out.At, err = pg.Now(ctx, tx); err != nil {
		return out, err
	}
	return out, nil
}

// sqlReopenRun: what the run's end wrote is written anew at its next end. Its
// waves are over: what is sent anew stands below the boundary of the last one.
const sqlReopenRun = `
update run
set state = 'running', ended_at = null, settled_at = null, summary = null, touched_at = null
where workspace_id = $1
  and id = $2
  and state in ('finishing', 'completed')`

const sqlReopenCampaign = `
update campaign
set state = 'running', ended_at = null, updated_at = bareed_now()
where workspace_id = $1
  and id = $2
  and state in ('finishing', 'completed')`

// reopen lets a campaign that is over, or about to be, send once more.
func reopen(ctx context.Context, tx pgx.Tx, ws id.Workspace, s Held) (campaigns.State, error) {
	if s.State == campaigns.Running {
		return s.State, nil
	}
	if _, err := tx.Exec(ctx, sqlReopenCampaign, ws, s.CampaignID); err != nil {
		return s.State, fmt.Errorf("open the campaign again: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlReopenRun, ws, s.RunID); err != nil {
		return s.State, fmt.Errorf("open the run again: %w", err)
	}
	return campaigns.Running, guard.Again(ctx, tx, ws, s.CampaignID)
}
