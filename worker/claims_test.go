package worker

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/limits"
	"bareed/messages"
)

// A claim that was granted does not wait until those refused beside it are
// settled, which may wait for somebody's lock.
func TestGrantedClaimsDoNotWaitForTheRefused(t *testing.T) {
	t.Parallel()
	w, b, _ := drafted(t, 2)
	run := b.Launch(t, "Sent").RunID
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	b.Do(t, `update permission set granted = false where workspace_id = $1
		and contact_id = (select contact_id from message where run_id = $2 and ordinal = 1)`, b.Workspace, run)
	tx, err := pgtest.Owner(t, b.Pool).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(t.Context(), `select from message where run_id = $1 and ordinal = 1 for update`, run); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	claims, err := w.claimAll(t.Context(), b.Workspace, []messages.Want{
		{Message: id.Message{Run: run, Ordinal: 1}, Token: uuid.New()}, {Message: id.Message{Run: run, Ordinal: 2}, Token: uuid.New()}})
	if err != nil || claims[0] != nil || claims[1] == nil {
		t.Fatalf("claims %v, %v; want the second alone", claims, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := time.Since(began) > 4*time.Second // a busy machine: the settling waits for 5 s
	w.Wait(t.Context())
	if n := counted(t, b, `select count(*) from message where workspace_id = $1 and ordinal = 1 and state = 'suppressed'`, b.Workspace); n != 1 && !late {
		t.Error("the refusal is not settled") // it waited for the lock in the claim's time, and gave up
	}
}

// A claim that is too old asks for no departure (there is no limiter here to
// ask) and comes back after a pause.
func TestOldClaimBooksNothing(t *testing.T) {
	t.Parallel()
	w := New(Config{Slots: 1})
	grant, again := w.book(t.Context(), limits.Ask{Number: id.New[id.Number](), PerSecond: 80, Bulk: true}, time.Now().Add(-2*lastLook))
	if grant.OK || again != crowded {
		t.Errorf("grant %+v, again in %v", grant, again)
	}
	if !w.askers.empty() {
		t.Error("a turn is still held")
	}
}
