package scheduler

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// A receipt that comes after a run was settled marks it; its picture is drawn
// anew, the mark goes, and the run's end is not worked out again.
func TestSettledRunIsRedrawnOnce(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 2, 0)
	f.b.Do(t, `update message set state = 'read' where run_id = $1`, f.run)
	f.b.Do(t, `update run set state = 'completed', settled_at = bareed_now(), touched_at = bareed_now() - interval '1 hour' where id = $1`, f.run)
	if err := f.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	var marked bool
	var read int
	f.b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `
			select r.touched_at is not null, s.read
			from run r
			join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
			where r.id = $1`, f.run).Scan(&marked, &read)
	})
	if marked || read != 2 {
		t.Errorf("still marked %v, %d read in the picture", marked, read)
	}
}
