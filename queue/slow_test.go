package queue_test

import (
	"testing"

	"bareed/queue"
)

// Redis stands still for longer than a call waits: the task is handed over again
// by the library, and is there once.
func TestSlowRedisMakesNoTwins(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	m := message()
	s.enqueue(message()) // connections and scripts are there
	if err := s.rdb.Do(t.Context(), "client", "pause", 2500, "all").Err(); err != nil {
		t.Fatal(err)
	}
	err := s.client.Enqueue(t.Context(), m)
	until(t, "Redis to go on", func() bool { return s.client.Enqueue(t.Context(), m) == nil })
	if n := s.stats(queue.Send).Pending; n != 2 {
		t.Errorf("%d tasks wait after %v, want 2", n, err)
	}
}
