package scheduler

import (
	"testing"
	"time"

	"bareed/internal/fixture"
	"bareed/internal/id"
)

// While one workspace has a backlog, the events of the others have their turn.
func TestABacklogLeavesOthersTheirTurn(t *testing.T) {
	t.Parallel()
	s, busy := planner(t)
	quiet := fixture.NewBroadcast(t, busy.Pool)
	keep := func(b *fixture.Broadcast, n int, age time.Duration) {
		for range n {
			b.Do(t, `insert into event (workspace_id, id, app_id, received_at, fields, body)
				select $1, $2, app_id, bareed_now() - $3::interval, '{}', '' from waba where workspace_id = $1`,
				b.Workspace, id.New[id.Event](), age)
		}
	}
	keep(busy, 30, 2*time.Second)
	keep(quiet, 3, time.Second)
	for most, want := range map[int]int{10: 3, 4: 2, 100: 3} {
		list, err := s.newOffers(t.Context(), most)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, e := range list {
			if e.Workspace == quiet.Workspace {
				got++
			}
		}
		if got != want || len(list) > most {
			t.Errorf("of %d, %d are the quiet workspace's, want %d", len(list), got, want)
		}
	}
}
