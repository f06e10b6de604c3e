package scheduler

import (
	"slices"
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/queue"
)

// One tick's tasks are handed over evenly over it, each once and none before its
// time, and what is held is forgotten with the leadership.
func TestRelease(t *testing.T) {
	t.Parallel()
	var r release
	begin := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	var tasks []queue.Task
	for i := range 4 {
		tasks = append(tasks, queue.SendMessage{Workspace: id.New[id.Workspace](), Run: id.New[id.Run](), Ordinal: int32(i + 1)})
	}
	r.add(begin, tick, tasks)
	var got []int
	for step := time.Duration(-1); step <= 4; step++ {
		got = append(got, len(r.due(begin.Add(step*tick/4))))
	}
	if want := []int{0, 1, 1, 1, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("handed over %v, want %v", got, want)
	}
	r.add(begin, tick, tasks)
	r.clear()
	if left := r.due(begin.Add(time.Hour)); len(left) != 0 {
		t.Errorf("%d are held after the end", len(left))
	}
}
