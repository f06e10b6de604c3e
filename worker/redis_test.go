package worker

import (
	"testing"
	"time"
)

// Without the limiter nothing leaves: neither when Redis is gone nor when it
// takes longer than a claim is good for. The message comes back ready, in time for
// the slot to do something else, and goes when Redis is back.
func TestNoLimiterNoMessage(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*sending) error{
		"gone": func(s *sending) error { s.redis.Stop(); return nil },
		"slow": func(s *sending) error {
			return s.redis.Client().Do(t.Context(), "client", "pause", 60_000, "all").Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSending(t, 4, 2, 0)
			if err := harm(s); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			s.all(t, s.Worker, 2)
			if took := time.Since(began); took > 30*time.Second { // a task's own time is 40 s
				t.Errorf("the slots were held for %v", took)
			}
			s.want(t, "without Redis", 0, map[string]int{"ready": 2})
			s.idle(t)
			s.redis.Restart()
			s.slots.forget()
			s.ahead.Add(int64(2 * time.Second))
			s.drain(t, s.Worker, 2)
			s.want(t, "with Redis", 2, map[string]int{"accepted": 2})
		})
	}
}
