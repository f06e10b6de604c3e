package check_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/id"
)

// A chunk may take long, longer than its lease: a twin does not wait for its row
// but goes.
func TestTwinOfAChunkDoesNotWait(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	var k id.Check
	c := b.Campaign(t, "Long chunk").ID
	b.In(t, func(tx pgx.Tx) (err error) {
		k, err = campaigns.RequestCheck(t.Context(), tx, b.Actor, c)
		return err
	})
	lease := func(tx pgx.Tx) bool {
		mine, err := check.Lease(t.Context(), tx, b.Workspace, k)
		if err != nil {
			t.Error(err)
		}
		return mine
	}
	b.In(t, func(tx pgx.Tx) error {
		if !lease(tx) {
			t.Error("nobody was at it, and it was not given")
		}
		return nil
	})
	b.Do(t, `update plan_check set lease_until = bareed_now() - interval '1 second' where workspace_id = $1`, b.Workspace)
	b.In(t, func(chunk pgx.Tx) error {
		if _, err := chunk.Exec(t.Context(), `select from plan_check where workspace_id = $1 and id = $2 for update`, b.Workspace, k); err != nil {
			return err
		}
		b.In(t, func(twin pgx.Tx) error {
			began := time.Now()
			if lease(twin) {
				t.Error("a twin took what a chunk holds")
			}
			t.Logf("after %v", time.Since(began))
			return nil
		})
		return nil
	})
	b.In(t, func(tx pgx.Tx) error {
		if !lease(tx) {
			t.Error("the lease is over, and nobody else may go on")
		}
		return nil
	})
}
