// Package agenda is a list of things that are to happen, in the order of their
// times, and those of one time in the order in which they were added.
//
// The sandbox keeps its webhooks in one. It has no clock and no lock of its own.
package agenda

import (
	"container/heap"
	"time"
)

// Agenda holds things of one kind. The zero value is empty.
type Agenda[T any] struct {
	items items[T]
	added int64
}

type item[T any] struct {
	at    time.Time
	order int64
	what  T
}

// Add enters something for a time.
func (a *Agenda[T]) Add(at time.Time, what T) {
	a.added++
	heap.Push(&a.items, item[T]{at, a.added, what})
}

// Len is how many things are entered.
func (a *Agenda[T]) Len() int { return len(a.items) }

// Next is the time of the first; false when there is none.
func (a *Agenda[T]) Next() (time.Time, bool) {
	if len(a.items) == 0 {
		return time.Time{}, false
	}
	return a.items[0].at, true
}

// Take removes the first that is due at a time; false when there is none.
func (a *Agenda[T]) Take(now time.Time) (T, bool) {
	if at, ok := a.Next(); !ok || at.After(now) {
		var none T
		return none, false
	}
	return heap.Pop(&a.items).(item[T]).what, true
}

type items[T any] []item[T]

func (h items[T]) Len() int { return len(h) }
func (h items[T]) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}
func (h items[T]) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *items[T]) Push(x any) { *h = append(*h, x.(item[T])) }

// Pop is for container/heap.
func (h *items[T]) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = item[T]{}
	*h = old[:len(old)-1]
	return last
}
