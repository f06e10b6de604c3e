// Package pacing owns what a person decides about messages that Meta held for
// quality assessment and then dropped: to have them sent anew.
//
// api and web call it. What is sent anew passes every gate of the claim like any
// other message. It must not know HTTP or the queue.
package pacing

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/byhand"
	"bareed/internal/id"
	"bareed/internal/pg"
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

// Read tells what Meta holds; campaign.not_launched before there is a run.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Held, error) {
	s, err := byhand.Read(ctx, db, ws, campaign)
	h := Held{CampaignID: s.CampaignID, RunID: s.RunID, State: s.State, Returnable: s.Sendable}
	if err != nil {
		return h, err
	}
	h.Counts, err = pacing.Count(ctx, db, ws, s.RunID)
	return h, err
}

// Returned is the decision as it stands; the same one repeated is answered alike.
type Returned struct {
	CampaignID id.Campaign     `json:"campaign_id"`
	RunID      id.Run          `json:"run_id"`
	State      campaigns.State `json:"state"`
	Messages   int64           `json:"messages" doc:"People who may be sent to anew"`
	At         time.Time       `json:"at"`
}

// Return makes every dropped message of the campaign ready again. expected is how
// many the person saw (byhand.Decision). It clears no stop: the template's own,
// which came with the drop, stays until it is cleared.
func Return(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, expected int64) (Returned, error) {
	out, err := byhand.Decision{Deed: "campaign.held_returned", Sends: true, Expected: "campaign.held_expected", Changed: "campaign.held_changed",
		Lock: pacing.LockDropped, Do: pacing.Return}.Carry(ctx, tx, a, campaign, expected)
	return Returned(out), err
}
