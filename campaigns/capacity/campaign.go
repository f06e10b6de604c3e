// Package capacity owns how campaigns stand to each other under a portfolio's
// messaging limit: who goes first, who takes from which share, and the calendar
// of who used and will use how many places on which day.
//
// api and web call it inside a transaction of the caller's workspace; the
// calendar reads other workspaces' figures as engine, and tells only their sum.
// The rule of who may take a place is numbers/places'.
package capacity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers/portfolios"
)

// CampaignPriority is how a campaign stands to others where places are scarce.
type CampaignPriority struct {
	Campaign    id.Campaign  `json:"campaign_id"`
	PortfolioID id.Portfolio `json:"portfolio_id"`
	Priority    string       `json:"priority" doc:"high, normal or low"`
	Share       string       `json:"share" doc:"The portfolio's share it takes places from; empty: from those open to all"`
}

// Priorities lists them, the first goes first.
func Priorities() []string { return []string{"high", "normal", "low"} }

const sqlStanding = `
select c.id, n.portfolio_id, c.priority, coalesce(c.share, ''), c.state
from campaign c
join number n on n.workspace_id = c.workspace_id and n.id = c.number_id
where c.workspace_id = $1
  and c.id = $2
  and c.deleted_at is null`

// Get reads a campaign's standing; not_found when there is no such campaign.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (CampaignPriority, error) {
	s, _, err := read(ctx, db, sqlStanding, ws, campaign)
	return s, err
}

func read(ctx context.Context, db pg.DB, sql string, ws id.Workspace, campaign id.Campaign) (s CampaignPriority, state string, err error) {
	err = db.QueryRow(ctx, sql, ws, campaign).Scan(&s.Campaign, &s.PortfolioID, &s.Priority, &s.Share, &state)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, "", errs.New("not_found")
	}
	if err != nil {
		return s, "", fmt.Errorf("read the campaign's priority: %w", err)
	}
	return s, state, nil
}

const sqlLockStanding = sqlStanding + `
for update of c`

const sqlSetStanding = `
update campaign
set priority = $3, share = nullif($4, ''), updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// over are the states in which nothing is sent any more.
var over = []string{"completed", "stopped", "expired", "failed"}

// Set changes a campaign's standing, also while it runs: the feeder goes by it
// from the next look on. What was already handed over stays.
func Set(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, priority, share string) (CampaignPriority, error) {
	if !slices.Contains(Priorities(), priority) {
		return CampaignPriority{}, errs.New("campaign.priority", "priorities", "high, normal, low").At("/priority", "")
	}
	s, state, err := read(ctx, tx, sqlLockStanding, a.Workspace, campaign)
	if err != nil {
		return s, err
	}
	if slices.Contains(over, state) {
		return s, errs.New("campaign.state", "state", state, "actions", "–")
	}
	if share != "" {
		shares, err := portfolios.Shares(ctx, tx, s.PortfolioID)
		if err != nil {
			return s, err
		}
		if !slices.ContainsFunc(shares, func(x portfolios.Share) bool { return x.Name == share }) {
			return s, errs.New("campaign.share_unknown", "share", errs.Clip(share)).At("/share", "")
		}
	}
	was := s
	s.Priority, s.Share = priority, share
	if s == was {
		return s, nil
	}
	if _, err := tx.Exec(ctx, sqlSetStanding, a.Workspace, campaign, priority, share); err != nil {
		return s, fmt.Errorf("set the campaign's priority: %w", err)
	}
	return s, accounts.Audit(ctx, tx, a, accounts.Deed{Action: "campaign.priority_set", Subject: campaign.String(),
		Detail: map[string]any{"was": was, "became": s}})
}

// Open is a campaign of the workspace that is not over, with its standing.
type Open struct {
	ID       id.Campaign
	Name     string
	State    string
	Priority string
	Share    string
}

const sqlOpen = `
select c.id, c.name, c.state, c.priority, coalesce(c.share, '')
from campaign c
join number n on n.workspace_id = c.workspace_id and n.id = c.number_id
where c.workspace_id = $1
  and n.portfolio_id = $2
  and c.deleted_at is null
  and c.state not in ('completed', 'stopped', 'expired', 'failed')
order by array_position(array['high', 'normal', 'low'], c.priority), c.id desc
limit 100`

// ListOpen lists the workspace's campaigns on a portfolio that are not over, at
// most 100, those first that go first.
func ListOpen(ctx context.Context, db pg.DB, ws id.Workspace, portfolio id.Portfolio) ([]Open, error) {
	return pg.All(ctx, db, "list open campaigns", pgx.RowToStructByPos[Open], sqlOpen, ws, portfolio)
}
