package worker

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/numbers"
)

// Events that were given up are new again, and only those.
func TestFailedEventsAreRetried(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	given, applied := h.keep(t, []byte("not JSON")), h.keep(t, []byte("not JSON"))
	h.Do(t, `update event set state = 'failed', tries = 6, problem = 'apply', feed_after = bareed_now() where workspace_id = $1 and id = $2`, h.Workspace, given)
	h.Do(t, `update event set state = 'applied' where workspace_id = $1 and id = $2`, h.Workspace, applied)
	h.In(t, func(tx pgx.Tx) error {
		n, err := numbers.RetryEvents(t.Context(), tx, h.Workspace)
		if n != 1 {
			t.Errorf("%d events are retried, want 1", n)
		}
		return err
	})
	if counted(t, h.Broadcast, `select count(*) from event where id = $1 and state = 'new' and tries = 0 and feed_after is null`, given) != 1 {
		t.Error("the event that was given up is not new")
	}
}
