// Package byhand owns how a person decides about many of a campaign's messages at
// once: by their number, which must be the one that the person saw, and once,
// however often the decision is sent. What may be decided is its callers'.
//
// campaigns/unconfirmed and campaigns/pacing call it. What is sent again passes
// every gate of the claim like any other message; it must not know HTTP or the
// queue.
package byhand

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
)

// Standing is a campaign with its newest run.
type Standing struct {
	CampaignID id.Campaign
	RunID      id.Run
	State      campaigns.State
	Policy     string // what holds for its messages without an answer
	Sendable   bool   // it was not stopped and its time is not over, so that it can send again
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
	s.Sendable = !expired && slices.Contains([]campaigns.State{campaigns.Running, campaigns.Finishing, campaigns.Completed}, c.State)
	return s, nil
}

// Decision is what can be decided about messages of one kind.
type Decision struct {
	Deed     string   // of the audit and of the campaign's events
	Others   []string // deeds that settle the same messages
	Sends    bool     // the campaign must be able to send, and opens again if it is over
	Expected string   // code of the refusal of no figure at all
	Changed  string   // code of the refusal of a figure that is not the present one

	// Lock counts the messages and keeps them as they are until tx ends; Do
	// settles those, and returns how many it was.
	Lock, Do func(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int64, error)
}

// Decided is a decision as it stands; the same one repeated is answered alike.
type Decided struct {
	CampaignID id.Campaign
	RunID      id.Run
	State      campaigns.State
	Messages   int64
	At         time.Time
}

const sqlLockCampaign = `
select 1
from campaign
where workspace_id = $1
  and id = $2
for update`

// Carry carries the decision out, about all the messages there are. expected is
// how many the person saw; any other figure is refused. The same call again, when
// none is left, is answered like the first. It locks in the order of every act on
// a campaign: campaign, run, messages.
func (d Decision) Carry(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Decided, error) {
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return Decided{}, err
	}
	if expected < 1 {
		return Decided{}, errs.New(d.Expected).At("/expected", "")
	}
	if _, err := tx.Exec(ctx, sqlLockCampaign, a.Workspace, campaign); err != nil {
		return Decided{}, fmt.Errorf("lock the campaign: %w", err)
	}
	s, err := Read(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return Decided{}, err
	}
	if d.Sends && !s.Sendable {
		return Decided{}, errs.New("campaign.not_resendable", "state", s.State)
	}
	n, err := d.Lock(ctx, tx, a.Workspace, s.RunID)
	if err != nil {
		return Decided{}, err
	}
	if n == 0 {
		return d.repeated(ctx, tx, a.Workspace, s, expected)
	}
	if n != expected {
		return Decided{}, d.changed(expected, n)
	}
	return d.settle(ctx, tx, a, s, n)
}

func (d Decision) changed(expected, n int64) error {
	return errs.New(d.Changed, "expected", expected, "open", n).At("/expected", "")
}

const sqlLast = `
select e.type, e.data, e.at
from campaign_event e
where e.workspace_id = $1
  and e.campaign_id = $2
  and e.type = any ($3)
order by e.sequence desc
limit 1`

// repeated answers a decision about what none is left of: like the one that was
// carried out, if it is that one.
func (d Decision) repeated(ctx context.Context, tx pgx.Tx, ws id.Workspace, s Standing, expected int64) (Decided, error) {
	out := Decided{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State}
	var deed string
	var raw json.RawMessage
	var data struct {
		Run      id.Run
		Messages int64
	}
	err := tx.QueryRow(ctx, sqlLast, ws, s.CampaignID, append([]string{d.Deed}, d.Others...)).Scan(&deed, &raw, &out.At)
	if err == nil {
		err = json.Unmarshal(raw, &data)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return out, fmt.Errorf("look for the same decision: %w", err)
	}
	if deed != d.Deed || data.Messages != expected || data.Run != s.RunID {
		return out, d.changed(expected, 0)
	}
	out.Messages = data.Messages
	return out, nil
}

// settle does what was decided about the n messages that are locked, and notes it.
func (d Decision) settle(ctx context.Context, tx pgx.Tx, a accounts.Actor, s Standing, n int64) (out Decided, err error) {
	moved, err := d.Do(ctx, tx, a.Workspace, s.RunID)
	if err != nil {
		return out, err
	}
	if moved != n {
		return out, fmt.Errorf("settle messages by hand: %d were locked, %d moved", n, moved)
	}
	if d.Sends {
		if s.State, err = reopen(ctx, tx, a.Workspace, s); err != nil {
			return out, err
		}
	}
	detail := map[string]any{"run": s.RunID, "messages": n}
	if err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: d.Deed, Subject: s.CampaignID.String(), Detail: detail}); err != nil {
		return out, err
	}
	if err := messages.CampaignEvent(ctx, tx, a.Workspace, s.CampaignID, d.Deed, detail); err != nil {
		return out, err
	}
	if err := campaigns.Snapshot(ctx, tx, a.Workspace, s.RunID); err != nil {
		return out, err
	}
	out = Decided{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State, Messages: n}
	out.At, err = pg.Now(ctx, tx)
	return out, err
}

// sqlReopenRun: what the run's end wrote is written anew at its next end. Its
// waves are over: what is sent again stands below the boundary of the last one.
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
