package scheduler

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/queue"
)

// sqlToPlan finds runs whose planning is due, that nobody plans and that do not
// wait for a person because planning failed. One that was stopped while it was
// planned is planned to its end: nobody is left out without a word.
const sqlToPlan = `
select workspace_id, id
from run r
where settled_at is null
  and kind = 'campaign'
  and not plan_done
  and starts_at <= bareed_now() + $1::interval
  and (lease_until is null or lease_until < bareed_now())
  and not exists (
    select from stop s
    where s.workspace_id = r.workspace_id
      and s.scope_id = r.id
      and s.reason = $2
      and s.cleared_at is null)
order by starts_at
limit 500`

const sqlToCheck = `
select workspace_id, id
from plan_check
where state in ('waiting', 'running')
  and (lease_until is null or lease_until < bareed_now())
order by created_at
limit 500`

// sqlDueRuns finds campaigns' runs whose time has come or is over.
const sqlDueRuns = `
select workspace_id, id
from run
where campaign_id is not null
  and (state = 'planning' and starts_at <= bareed_now()
    or state = 'running' and expires_at <= bareed_now())
order by starts_at`

// plan turns what is due into tasks: runs to plan and checks to work out; and
// moves runs whose time has come. A task may be handed over again each two
// seconds until its lease is seen; twins find the work taken.
func (s *Scheduler) plan(ctx context.Context) error {
	feed := s.Clock().Unix() / 2
	var tasks []queue.Task
	err := eachFound(ctx, s, sqlToPlan, []any{campaigns.PlanAhead, messages.PlanFailed}, func(ws id.Workspace, run id.Run) {
		tasks = append(tasks, queue.PlanRun{Workspace: ws, Run: run, Feed: feed})
	})
	if err != nil {
		return fmt.Errorf("find runs to plan: %w", err)
	}
	err = eachFound(ctx, s, sqlToCheck, nil, func(ws id.Workspace, check id.Check) {
		tasks = append(tasks, queue.CheckCampaign{Workspace: ws, Check: check, Feed: feed})
	})
	if err != nil {
		return fmt.Errorf("find checks: %w", err)
	}
	if len(tasks) > 0 {
		err = s.Queue.Enqueue(ctx, tasks...)
	}
	return errors.Join(err, s.dueRuns(ctx), s.hours(ctx))
}

// dueRuns moves runs by the database's clock. One run's trouble does not keep
// the next from its time.
func (s *Scheduler) dueRuns(ctx context.Context) error {
	return moveEach(ctx, s, "move a due run", sqlDueRuns, s.due)
}

// eachFound runs a discovery statement that gives workspaces and ids.
func eachFound[T any](ctx context.Context, s *Scheduler, sql string, args []any, do func(id.Workspace, T)) error {
	rows, err := s.Pool.Engine().Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var ws id.Workspace
	var found T
	_, err = pgx.ForEachRow(rows, []any{&ws, &found}, func() error {
		do(ws, found)
		return nil
	})
	return err
}
