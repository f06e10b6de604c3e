package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Event is one thing that happened to a campaign. Sequences have no gaps.
type Event struct {
	Sequence int64           `json:"sequence"`
	At       time.Time       `json:"at"`
	Type     string          `json:"type"`
	Data     json.RawMessage `json:"data"`
}

const sqlEvents = `
select sequence, at, type, data
from campaign_event
where workspace_id = $1
  and campaign_id = $2
  and sequence > $3
order by sequence
limit $4`

// Events lists what happened after a sequence, oldest first.
func Events(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, after int64, limit int) ([]Event, error) {
	return pg.All(ctx, db, "list events", pgx.RowToStructByPos[Event], sqlEvents, ws, campaign, after, limit)
}

const sqlLastSequence = `
select event_sequence
from campaign
where workspace_id = $1
  and id = $2
  and deleted_at is null`

// LastSequence is the number of the campaign's newest event, 0 before the
// first; not_found for a campaign that is not the workspace's.
func LastSequence(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (int64, error) {
	var n int64
	err := db.QueryRow(ctx, sqlLastSequence, ws, campaign).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, errs.New("not_found")
	}
	if err != nil {
		return 0, fmt.Errorf("read the newest event's number: %w", err)
	}
	return n, nil
}

const sqlExists = `
select exists (
    select from campaign
    where workspace_id = $1
      and id = $2
      and deleted_at is null)`

// Exists returns not_found for a campaign that is not the workspace's.
func Exists(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) error {
	var ok bool
	if err := db.QueryRow(ctx, sqlExists, ws, campaign).Scan(&ok); err != nil {
		return fmt.Errorf("look for the campaign: %w", err)
	}
	if !ok {
		return errs.New("not_found")
	}
	return nil
}
