package scheduler

import (
	"context"
	"fmt"

	"bareed/internal/id"
	"bareed/queue"
)

// sqlImportsDue finds files that wait, and imports whose worker is gone.
const sqlImportsDue = `
select workspace_id, id
from import
where state in ('waiting', 'running')
  and (lease_until is null or lease_until < bareed_now())
order by created_at
limit 100`

// imports hands out what is to be imported. An import that nobody takes up is
// handed out again every ten seconds; a second task finds the lease taken.
func (s *Scheduler) imports(ctx context.Context) error {
	feed := s.Clock().Unix() / 10
	var tasks []queue.Task
	err := eachFound(ctx, s, sqlImportsDue, nil, func(ws id.Workspace, imp id.Import) {
		tasks = append(tasks, queue.ImportContacts{Workspace: ws, Import: imp, Feed: feed})
	})
	if err != nil {
		return fmt.Errorf("find imports: %w", err)
	}
	if len(tasks) == 0 {
		return nil
	}
	return s.Queue.Enqueue(ctx, tasks...)
}
