package scheduler

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/occurrence"
	"bareed/internal/id"
)

// sqlTurns finds running runs whose hours ended, and those that go by everybody's
// own zone: their people's hours end one zone after the other.
const sqlTurns = `
select workspace_id, id
from run
where state = 'running'
  and (closes_at <= bareed_now() or recipient_time)
order by id`

// hours turns runs at the end of their hours.
func (s *Scheduler) hours(ctx context.Context) error {
	return moveEach(ctx, s, "turn a run's hours", sqlTurns, occurrence.Turn)
}

const sqlScheduled = `
select workspace_id, id
from campaign
where state = 'scheduled'
  and send_at > bareed_now()
order by id`

// zones computes when scheduled campaigns fire anew: a release of the program
// brings the zone rules of its day. Firings that moved are in the audit.
func (s *Scheduler) zones(ctx context.Context) error {
	return moveEach(ctx, s, "compute a firing anew", sqlScheduled, func(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) error {
		moved, err := occurrence.Rezone(ctx, tx, ws, campaign)
		if moved {
			s.Log.Info("a zone's rules changed: the campaign fires at another instant", "campaign", campaign)
		}
		return err
	})
}

// moveEach does something to everything found, each in a transaction of its own.
// One's trouble does not keep the next from its turn.
func moveEach[T any](ctx context.Context, s *Scheduler, what, sql string, do func(context.Context, pgx.Tx, id.Workspace, T) error) error {
	type one struct {
		ws id.Workspace
		id T
	}
	var all []one
	if err := eachFound(ctx, s, sql, nil, func(ws id.Workspace, id T) { all = append(all, one{ws, id}) }); err != nil {
		return fmt.Errorf("%s: find them: %w", what, err)
	}
	for _, d := range all {
		if err := s.Pool.InWorkspace(ctx, d.ws, func(tx pgx.Tx) error { return do(ctx, tx, d.ws, d.id) }); err != nil {
			s.Log.Error(what, "id", d.id, "error", err)
		}
	}
	return nil
}
