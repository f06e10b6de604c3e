package limits_test

import (
	"testing"

	"bareed/internal/id"
	"bareed/internal/redistest"
	"bareed/limits"
)

// BenchmarkTake measures one question with 64 slots asking at once, granted
// and with a pair, as each message needs.
func BenchmarkTake(b *testing.B) {
	l := limits.New(dial(b, options(redistest.Start(b))), limits.Config{})
	a := limits.Ask{Number: id.New[id.Number](), PerSecond: 1_000_000_000, Bulk: true}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		a := a
		for pb.Next() {
			a.Contact = id.New[id.Contact]()
			if _, err := l.Take(b.Context(), a); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
