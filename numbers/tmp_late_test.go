package numbers_test

import (
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// A phone that was off: delivered a day after its place ran out.
func TestLateDeliveryIsCounted(t *testing.T) {
	t.Parallel()
	q := newQuarter(t, 1)
	a := id.New[id.Run]()
	if !q.reserve(t, a, 1) {
		t.Fatal("no place")
	}
	pgtest.MoveClock(t, q.pool, 30*time.Hour)
	q.sweep(t)
	q.do(t, `select place_count(array[$1::bytea, $1::bytea], $2)`, person(1), q.id) // delivered now: Meta counts from here
	if n := q.places(t); n != 1 {
		t.Errorf("%d places, want 1", n)
	}
	if q.reserve(t, a, 2) {
		t.Error("a second unique person within Meta's 24 hours")
	}
}
