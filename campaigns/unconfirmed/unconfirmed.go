// Package unconfirmed owns what a person decides about messages that got no
// answer and no receipt for a day: to send them again, or to let them be.
//
// api and web call it. What it sends again passes every gate of the claim like
// any other message; it must not know HTTP or the queue.
package unconfirmed

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/byhand"
	"bareed/internal/id"
	"bareed/internal/pg"
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

// Read tells how a campaign stands; campaign.not_launched before it has a run.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Standing, error) {
	c, err := byhand.Read(ctx, db, ws, campaign)
	s := Standing{CampaignID: c.CampaignID, RunID: c.RunID, State: c.State, Policy: c.Policy, Resendable: c.Sendable}
	if err != nil {
		return s, err
	}
	n, err := unknown.CountOpen(ctx, db, ws, c.RunID)
	s.Open, s.Closed = n.Open, n.Closed
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

// What can be decided, by the deeds of the audit and of the campaign's events.
const (
	resent = "campaign.resent_by_person"
	closed = "campaign.unconfirmed_closed"
)

// Resend gives every open unconfirmed message of the campaign a new attempt.
// expected is how many the person saw (byhand.Decision).
func Resend(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Decided, error) {
	return decide(ctx, tx, a, campaign, expected, byhand.Decision{Deed: resent, Others: []string{closed}, Sends: true, Do: unknown.ResendOpen})
}

// Close lets the open ones be: they are not offered again. A receipt that still
// comes counts all the same. Guarded and repeatable as Resend is.
func Close(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Decided, error) {
	return decide(ctx, tx, a, campaign, expected, byhand.Decision{Deed: closed, Others: []string{resent}, Do: unknown.CloseOpen})
}

func decide(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64, d byhand.Decision) (Decided, error) {
	d.Lock, d.Expected, d.Changed = unknown.LockOpen, "campaign.unconfirmed_expected", "campaign.unconfirmed_changed"
	out, err := d.Carry(ctx, tx, a, campaign, expected)
	return Decided(out), err
}
