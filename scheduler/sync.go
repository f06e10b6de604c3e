package scheduler

import (
	"context"

	"bareed/numbers"
	"bareed/queue"
)

// maxPolls bounds how many polls one tick hands out; the rest are due next time.
const maxPolls = 500

// sync hands out the polls of WABAs that are due: every ten seconds while one is
// sending, else every 15 minutes. The feed is the present ten seconds, so that a
// tick that finds a poll still waiting adds no twin.
func (s *Scheduler) sync(ctx context.Context) error {
	due, err := numbers.DuePolls(ctx, s.Pool.Engine(), maxPolls)
	if err != nil || len(due) == 0 {
		return err
	}
	feed := s.Clock().Unix() / 10
	tasks := make([]queue.Task, len(due))
	for i, d := range due {
		tasks[i] = queue.SyncWABA{Workspace: d.Workspace, WABA: d.WABA, Feed: feed}
	}
	return s.Queue.Enqueue(ctx, tasks...)
}
