package scheduler

import (
	"testing"

	"bareed/internal/pg/pgtest"
)

const sqlWhoWaits = `
select count(distinct l.pid)
from pg_locks l
join pg_stat_activity a on a.pid = l.pid
where a.datname = current_database()
  and not l.granted`

// Two lanes wait at the same time for what somebody holds: one that waits does not
// keep the next from its turn.
func TestLanesAreFedSideBySide(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 40, 0)
	bulk, reply := f.second(t)
	f.b.Do(t, `update run set kind = 'reply' where workspace_id = $1 and id = $2`, f.b.Workspace, reply)
	if err := f.watchQueue(t.Context()); err != nil {
		t.Fatal(err)
	}
	locked(t, f, `select from run where id in ($1, $2) for update`, bulk, reply)
	watch := pgtest.Owner(t, f.b.Pool)
	most := 0
	for try := 0; try < 5 && most < 2; try++ { // a busy machine may let them come one after the other
		f.now = f.now.Add(tick)
		done := make(chan error, 1)
		go func() { done <- f.feed(t.Context()) }()
		for over := false; !over; {
			var n int
			if err := watch.QueryRow(t.Context(), sqlWhoWaits).Scan(&n); err != nil {
				t.Fatal(err)
			}
			most = max(most, n)
			select {
			case err := <-done:
				if over = true; err != nil {
					t.Fatal(err)
				}
			default:
			}
		}
	}
	if most < 2 {
		t.Errorf("%d lanes waited at once", most)
	}
}
