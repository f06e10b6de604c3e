package scheduler

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/waves"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// sqlFirstHours is by the index of those not measured yet. A receipt that came
// within the hour may stand in no picture for a second more.
const sqlFirstHours = `
select workspace_id, run_id
from run_hour
where measured_at is null
  and due_at <= bareed_now() - interval '5 seconds'
order by due_at
limit 200`

// firstHours measures the runs whose first hour is over, and warns of those that
// were read far less than usual. One run's trouble does not keep the next from it.
func (s *Scheduler) firstHours(ctx context.Context) error {
	type over struct {
		Workspace id.Workspace
		Run       id.Run
	}
	list, err := pg.All(ctx, s.Pool.Engine(), "find runs whose first hour is over", pgx.RowToStructByPos[over], sqlFirstHours)
	if err != nil {
		return err
	}
	for _, r := range list {
		err := s.Pool.InWorkspace(ctx, r.Workspace, func(tx pgx.Tx) error {
			return waves.Hour(ctx, tx, r.Workspace, r.Run, s.Limits)
		})
		if err != nil {
			s.Log.Error("measure a run's first hour", "run", r.Run, "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
