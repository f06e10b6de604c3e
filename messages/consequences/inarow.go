package consequences

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/whatsapp/codes"
)

// InARow is how many messages of a run may fail one after another for a reason
// that the next will fail for too, before the campaign stops.
const InARow = 5

const sqlFailedInARow = `
insert into failed_in_a_row (workspace_id, run_id, n)
select $1, $2, $3
from run
where workspace_id = $1
  and id = $2
on conflict (workspace_id, run_id) do update
set n = failed_in_a_row.n + excluded.n
returning n`

const sqlNotInARow = `
delete from failed_in_a_row
where workspace_id = $1
  and run_id = any ($2)`

const sqlCampaignOfRun = `
select campaign_id
from run
where workspace_id = $1
  and id = $2`

// ForRuns counts messages that failed one after another with codes of the rule
// InARow, as their statuses came, and stops the campaigns of which they are
// enough. A message that arrived begins the count anew; what came together counts
// as one after another.
func (d Desk) ForRuns(ctx context.Context, tx pgx.Tx, ws id.Workspace, by string, list []Failure, arrived []id.Run) error {
	failed, last := map[id.Run]int{}, map[id.Run]Failure{}
	for _, f := range list {
		if f.Code != 0 && codes.Classify(f.Code).Rule == codes.InARow && !slices.Contains(arrived, f.Message.Run) {
			failed[f.Message.Run]++
			last[f.Message.Run] = f
		}
	}
	over := slices.Clone(arrived)
	for _, run := range sorted(failed) {
		var n int
		if err := tx.QueryRow(ctx, sqlFailedInARow, ws, run, failed[run]).Scan(&n); err != nil {
			return fmt.Errorf("count failures in a row: %w", err)
		}
		if n < InARow {
			continue
		}
		over = append(over, run) // after its stop a run begins anew
		if err := stopRun(ctx, tx, ws, by, last[run]); err != nil {
			return err
		}
	}
	if len(over) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlNotInARow, ws, over); err != nil {
		return fmt.Errorf("forget failures in a row: %w", err)
	}
	return nil
}

func stopRun(ctx context.Context, tx pgx.Tx, ws id.Workspace, by string, f Failure) error {
	c := messages.Claim{Message: f.Message}
	if err := tx.QueryRow(ctx, sqlCampaignOfRun, ws, f.Message.Run).Scan(&c.Campaign); err != nil {
		return fmt.Errorf("read the run's campaign: %w", err)
	}
	o := messages.RefusedInARow(c, f.Code)
	o.By = by
	_, err := messages.OpenStop(ctx, tx, ws, o)
	return err
}

// sorted keeps the order in which everybody locks.
func sorted(of map[id.Run]int) []id.Run {
	runs := make([]id.Run, 0, len(of))
	for run := range of {
		runs = append(runs, run)
	}
	slices.SortFunc(runs, func(a, b id.Run) int { return slices.Compare(a[:], b[:]) })
	return runs
}
