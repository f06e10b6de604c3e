package worker

import (
	"context"
	"sync"
	"time"

	"bareed/internal/id"
)

// turns lets so many messages of a number do a thing at the same time; the others
// wait outside.
type turns struct {
	mu sync.Mutex
	of map[id.Number]*turn
}

type turn struct {
	free  chan struct{} // holds a token for each that may ask
	users int           // asking or waiting to
}

// askers may ask the limiter: enough for 1,000/s while a question takes two
// milliseconds. All that wait for the next departure would otherwise ask for it
// together, all but one in vain, and again: four questions for each message.
const askers = 2

// claimers may claim and book: what may depart in a twentieth of a second. A
// claim is good for a quarter; when the database is slow, more of them would
// only come too late and be given back, which makes it slower.
func claimers(perSecond int) int { return max(2, perSecond/20) }

func newTurns() *turns { return &turns{of: map[id.Number]*turn{}} }

// take waits for a turn until the limit; false means there was none. Whoever
// got one calls leave.
func (t *turns) take(ctx context.Context, n id.Number, size int, limit time.Duration) bool {
	it := t.join(n, size)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-it.free:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	t.part(n)
	return false
}

// leave gives a turn to the next.
func (t *turns) leave(n id.Number) {
	t.mu.Lock()
	t.of[n].free <- struct{}{}
	t.mu.Unlock()
	t.part(n)
}

// join: a number's size changes when nobody of it is here.
func (t *turns) join(n id.Number, size int) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	it := t.of[n]
	if it == nil {
		it = &turn{free: make(chan struct{}, size)}
		for range size {
			it.free <- struct{}{}
		}
		t.of[n] = it
	}
	it.users++
	return it
}

func (t *turns) part(n id.Number) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if it := t.of[n]; it.users == 1 {
		delete(t.of, n)
	} else {
		it.users--
	}
}
