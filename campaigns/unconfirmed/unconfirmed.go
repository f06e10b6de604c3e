// Package unconfirmed owns what a person decides about messages that got no
// answer and no receipt for a day: to send them again, or to let them be.
//
// api and web call it. What it sends again passes every gate of the claim like
// any other message; it must not know HTTP or the queue.
package unconfirmed

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
	"bareed/messages/unknown"
)

// Standing is how many unconfirmed messages a campaign has, and whether they
// can be sent again.
type Standing struct {
	CampaignID id.Campaign     `json:"campaign_id"`
	RunID      id.Run          `json:"run_id"`
	State      campaigns.State `json:"state"`
	Open       int64           `json:"open" doc:"Nobody has decided on them: the figure that resend and close expect"`
	Closed     int64           `json:"closed" doc:"A person let them be"`
	Policy     string          `json:"unknown_policy" enum:"hold,evidence" doc:"What holds for the campaign's messages without an answer"`
	Resendable bool            `json:"resendable" doc:"Open ones can be sent again: the campaign was not stopped and its time is not over"`
}

const sqlRun = `
select r.unknown_policy, coalesce(r.expires_at <= bareed_now(), false)
from run r
where r.workspace_id = $1
  and r.id = $2`

// Read tells how a campaign stands; campaign.not_launched before it has a run.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Standing, error) {
	c, err := campaigns.Get(ctx, db, ws, campaign)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{CampaignID: c.ID, RunID: c.RunID, State: c.State}
	if c.RunID.IsZero() {
		return s, errs.New("campaign.not_launched", "state", c.State)
	}
	var expired bool
	if err := db.QueryRow(ctx, sqlRun, ws, c.RunID).Scan(&s.Policy, &expired); err != nil {
		return s, fmt.Errorf("read the run: %w", err)
	}
	n, err := unknown.CountOpen(ctx, db, ws, c.RunID)
	s.Open, s.Closed = n.Open, n.Closed
	s.Resendable = !expired && slices.Contains([]campaigns.State{campaigns.Running, campaigns.Finishing, campaigns.Completed}, c.State)
	return s, err
}

// Decided is a decision as it stands; the same one repeated is answered alike.
type Decided struct {
	CampaignID id.Campaign     `json:"campaign_id"`
	RunID      id.Run          `json:"run_id"`
	State      campaigns.State `json:"state"`
	Messages   int64           `json:"messages" doc:"People it was decided about"`
	At         time.Time       `json:"at"`
}

// Resend gives every open unconfirmed message of the campaign a new attempt.
// expected is how many the person saw; any other figure is refused. The same
// call again, when nothing is open any more, is answered like the first.
func Resend(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Decided, error) {
	return decide(ctx, tx, a, campaign, expected, resend)
}

// Close lets the open ones be: they are not offered again. A receipt that still
// comes counts all the same. Guarded and repeatable as Resend is.
func Close(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Decided, error) {
	return decide(ctx, tx, a, campaign, expected, closing)
}

// decision is one of the two.
type decision struct {
	deed  string // of the audit and of the campaign's events
	needs bool   // the campaign must be able to send
	do    func(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int64, error)
}

var (
	resend  = decision{"campaign.resent_by_person", true, unknown.ResendOpen}
	closing = decision{"campaign.unconfirmed_closed", false, unknown.CloseOpen}
)

const sqlLockCampaign = `
select 1
from campaign
where workspace_id = $1
  and id = $2
for update`

// decide locks in the order of every act on a campaign: campaign, run, messages.
func decide(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64, d decision) (Decided, error) {
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return Decided{}, err
	}
	if expected < 1 {
		return Decided{}, errs.New("campaign.unconfirmed_expected").At("/expected", "")
	}
	if _, err := tx.Exec(ctx, sqlLockCampaign, a.Workspace, campaign); err != nil {
		return Decided{}, fmt.Errorf("lock the campaign: %w", err)
	}
	s, err := Read(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return Decided{}, err
	}
	if d.needs && !s.Resendable {
		return Decided{}, errs.New("campaign.not_resendable", "state", s.State)
	}
	open, err := unknown.LockOpen(ctx, tx, a.Workspace, s.RunID)
	if err != nil {
		return Decided{}, err
	}
	if open == 0 {
		return repeated(ctx, tx, a.Workspace, s, expected, d)
	}
	if open != expected {
		return Decided{}, errs.New("campaign.unconfirmed_changed", "expected", expected, "open", open).At("/expected", "")
	}
	return carryOut(ctx, tx, a, s, open, d)
}

const sqlLast = `
select e.type, e.data, e.at
from campaign_event e
where e.workspace_id = $1
  and e.campaign_id = $2
  and e.type in ('campaign.resent_by_person', 'campaign.unconfirmed_closed')
order by e.sequence desc
limit 1`

// repeated answers a decision about what nothing is open of any more: like the
// one that was carried out, if it is that one.
func repeated(ctx context.Context, tx pgx.Tx, ws id.Workspace, s Standing, expected int64, d decision) (Decided, error) {
	var kind string
	var data struct{ Messages int64 }
	var raw json.RawMessage
	var at time.Time
	err := tx.QueryRow(ctx, sqlLast, ws, s.CampaignID).Scan(&kind, &raw, &at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Decided{}, fmt.Errorf("look for the same decision: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal(raw, &data); err != nil {
			return Decided{}, fmt.Errorf("look for the same decision: %w", err)
		}
	}
	if kind != d.deed || data.Messages != expected {
		return Decided{}, errs.New("campaign.unconfirmed_changed", "expected", expected, "open", 0).At("/expected", "")
	}
	return Decided{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State, Messages: data.Messages, At: at}, nil
}

func carryOut(ctx context.Context, tx pgx.Tx, a accounts.Actor, s Standing, open int64, d decision) (Decided, error) {
	n, err := d.do(ctx, tx, a.Workspace, s.RunID)
	if err != nil {
		return Decided{}, err
	}
	if n != open {
		return Decided{}, fmt.Errorf("decide on unconfirmed messages: %d were locked, %d moved", open, n)
	}
	if d.needs {
		if s.State, err = reopen(ctx, tx, a.Workspace, s); err != nil {
			return Decided{}, err
		}
	}
	detail := map[string]any{"run": s.RunID, "messages": n}
	if err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: d.deed, Subject: s.CampaignID.String(), Detail: detail}); err != nil {
		return Decided{}, err
	}
	if err := messages.CampaignEvent(ctx, tx, a.Workspace, s.CampaignID, d.deed, detail); err != nil {
		return Decided{}, err
	}
	if err := campaigns.Snapshot(ctx, tx, a.Workspace, s.RunID); err != nil {
		return Decided{}, err
	}
	out := Decided{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State, Messages: n}
	if err := tx.QueryRow(ctx, `select bareed_now()`).Scan(&out.At); err != nil {
		return out, fmt.Errorf("read the time: %w", err)
	}
	return out, nil
}

// sqlReopenRun: what the run's end wrote is written anew at its next end.
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
func reopen(ctx context.Context, tx pgx.Tx, ws id.Workspace, s Standing) (campaigns.State, error) {
	if s.State == campaigns.Running {
		return s.State, nil
	}
	if !s.State.May(campaigns.Running) {
		return s.State, errs.New("campaign.not_resendable", "state", s.State)
	}
	if _, err := tx.Exec(ctx, sqlReopenCampaign, ws, s.CampaignID); err != nil {
		return s.State, fmt.Errorf("open the campaign again: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlReopenRun, ws, s.RunID); err != nil {
		return s.State, fmt.Errorf("open the run again: %w", err)
	}
	return campaigns.Running, guard.Again(ctx, tx, ws, s.CampaignID)
}
