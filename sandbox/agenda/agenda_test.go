package agenda_test

import (
	"testing"
	"time"

	"bareed/sandbox/agenda"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	var a agenda.Agenda[string]
	for _, x := range []struct {
		after time.Duration
		what  string
	}{{2, "c"}, {1, "a"}, {3, "d"}, {1, "b"}, {9, "later"}} {
		a.Add(start.Add(x.after*time.Second), x.what)
	}
	got := ""
	for what, ok := a.Take(start.Add(3 * time.Second)); ok; what, ok = a.Take(start.Add(3 * time.Second)) {
		got += what
	}
	if got != "abcd" || a.Len() != 1 {
		t.Errorf("took %q, %d left", got, a.Len())
	}
	if at, ok := a.Next(); !ok || !at.Equal(start.Add(9*time.Second)) {
		t.Errorf("next at %s, %t", at, ok)
	}
}
