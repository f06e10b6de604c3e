package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

// Failures in a row after which planning, and the working out of a check, waits
// for a person.
const Failures = 5

// sqlLockCampaignOf comes before the run's lock, as everywhere.
const sqlLockCampaignOf = `
select from campaign c
where c.workspace_id = $1
  and c.id = (
    select r.campaign_id
    from run r
    where r.workspace_id = $1
      and r.id = $2)
for update of c`

// sqlPlanFailed counts to $3 and begins anew there. The lease keeps the next try
// away, longer each time.
const sqlPlanFailed = `
update run
set plan_failures = (plan_failures + 1) % $3,
    lease_until = bareed_now() + interval '5 seconds' * (plan_failures + 1)
where workspace_id = $1
  and id = $2
  and settled_at is null
  and not plan_done
returning plan_failures, planned`

// Failed notes that the planning of a run failed for a reason that is its own.
// It is tried again after 5, 10, 15 and 20 seconds; then a stop on the run says
// so, and nothing is planned or sent in it until a person clears the stop.
func Failed(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlLockCampaignOf, ws, run); err != nil {
		return fmt.Errorf("lock the run's campaign: %w", err)
	}
	var failures, planned int
	err := tx.QueryRow(ctx, sqlPlanFailed, ws, run, Failures).Scan(&failures, &planned)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // planned meanwhile
	}
	if err != nil {
		return fmt.Errorf("count a failure of the plan: %w", err)
	}
	if failures > 0 {
		return nil
	}
	_, err = messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: messages.ScopeRun, ScopeID: run,
		Reason: messages.PlanFailed, ByRule: true, Threshold: fmt.Sprintf("%d failures in a row", Failures),
		Measured: fmt.Sprintf("%d failures in a row, %d people planned", Failures, planned), By: "system:plan"})
	return err
}
