package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/messages/unknown"
)

const sqlUnknownRuns = `
select r.workspace_id, r.id, r.campaign_id
from run r
join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
where r.settled_at is null
  and r.state in ('running', 'finishing')
  and s.unknown > 0
order by r.id`

// unknown sends again what the evidence policy has proven never to have been
// accepted. One run's trouble does not keep the next from being judged. A look at
// the neighbours may count a large run, so it takes a twentieth of the time at most.
func (s *Scheduler) unknown(ctx context.Context) error {
	rows, err := s.Pool.Engine().Query(ctx, sqlUnknownRuns)
	if err != nil {
		return err
	}
	type open struct {
		Workspace id.Workspace
		Run       id.Run
		Campaign  id.Campaign
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[open])
	if err != nil {
		return err
	}
	s.judged.trim(s.Clock())
	for _, r := range runs {
		err := s.judged.draw(s.Clock(), r.Run, false, func() error {
			return s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) error {
				return s.resendProven(ctx, tx, r.Workspace, r.Run, r.Campaign)
			})
		})
		if err != nil {
			s.Log.Error("judge messages without an answer", "run", r.Run, "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (s *Scheduler) resendProven(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, campaign id.Campaign) error {
	list, err := unknown.Look(ctx, tx, ws, run, s.Unknown)
	if err != nil || len(list) == 0 {
		return err
	}
	n, err := unknown.Resend(ctx, tx, ws, run, list, s.Unknown)
	if err != nil || n == 0 || campaign.IsZero() {
		return err
	}
	return messages.CampaignEvent(ctx, tx, ws, campaign, "campaign.resent_by_evidence", map[string]any{"run": run, "messages": n})
}
