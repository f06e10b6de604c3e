package scheduler

import (
	"testing"
	"time"
)

func TestTheSameTroubleIsToldOnceAMinute(t *testing.T) {
	t.Parallel()
	var tr trouble
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		job, what string
		after     time.Duration
		tell      bool
		again     int
	}{
		{"plan", "no permission", 0, true, 0},
		{"plan", "no permission", time.Second, false, 0},
		{"feed", "no permission", time.Second, true, 0}, // another job's
		{"plan", "no permission", 59 * time.Second, false, 0},
		{"plan", "no permission", time.Minute, true, 2},
		{"plan", "no answer", 61 * time.Second, true, 0}, // another trouble
		{"plan", "no permission", 62 * time.Second, true, 0},
	} {
		again, tell := tr.tells(c.job, c.what, at.Add(c.after))
		if again != c.again || tell != c.tell {
			t.Errorf("%s %q after %s: told %v, %d times since; want %v, %d", c.job, c.what, c.after, tell, again, c.tell, c.again)
		}
	}
}
