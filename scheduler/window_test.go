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
		name  string
		after time.Duration
		out   int
		late  int
		room  int
	}{
		{"hardly used", 0, 4, 0, 12},
		{"used, a few slow", 0, 10, 4, 8}, // 18 may be out
		{"slow", 0, 10, 5, -1},
		{"slow, in the same second", 999 * time.Millisecond, 10, 3, -1},
		{"slow, a second later", time.Second, 4, 3, 0},
		{"slow again", 2 * time.Second, 0, 2, least},
		{"slow to the end", 3 * time.Second, 0, 1, least},
		{"quick again", 4 * time.Second, 2, 0, 2},
	} {
		if got := w.room(begin.Add(step.after), step.out, step.late); got != step.room {
			t.Errorf("%s: room for %d, want %d", step.name, got, step.room)
		}
	}
	// A quarter of a wide window would be many workers' slots.
	wide := &flow{credit: 1000, size: 800, most: 800, halved: begin}
	if wide.room(begin.Add(time.Second), 100, slowMost); wide.size != 800 {
		t.Errorf("a few slow ones: %v may be out", wide.size)
	}
	if wide.room(begin.Add(time.Second), 100, slowMost+1); wide.size != 400 {
		t.Errorf("slow: %v may be out", wide.size)
	}
	w.credit = 1
	if got := w.room(begin.Add(5*time.Second), 0, 0); got != 1 {
		t.Errorf("with credit for one: room for %d", got)
	}
}
