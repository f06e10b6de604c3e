package scheduler

import (
	"testing"
	"time"
)

// What may be out halves at most once a second while answers are slow, never
// below what keeps the number trying, and grows while they are quick and it is
// used; a number that is hardly used does not grow.
func TestWindow(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	w := &flow{credit: 1000, size: 16, most: 32, halved: begin.Add(-time.Hour)}
	for _, step := range []struct {
		name   string
		after  time.Duration
		out    int
		oldest time.Duration
		room   int
	}{
		{"hardly used", 0, 4, 0, 12},
		{"used", 0, 10, 0, 8}, // 18 may be out
		{"slow", 0, 10, slow + 1, -1},
		{"slow, in the same second", 999 * time.Millisecond, 10, slow + 1, -1},
		{"slow, a second later", time.Second, 4, slow + 1, 0},
		{"slow again", 2 * time.Second, 0, slow + 1, least},
		{"slow to the end", 3 * time.Second, 0, slow + 1, least},
		{"quick again", 4 * time.Second, 2, slow, 2},
	} {
		if got := w.room(begin.Add(step.after), step.out, step.oldest); got != step.room {
			t.Errorf("%s: room for %d, want %d", step.name, got, step.room)
		}
	}
	w.credit = 1
	if got := w.room(begin.Add(5*time.Second), 0, 0); got != 1 {
		t.Errorf("with credit for one: room for %d", got)
	}
}
