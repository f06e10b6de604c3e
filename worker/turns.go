package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"bareed/internal/id"
)

// lane is one of a number's two streams of messages. They share nothing but the
// limiter's departures: a reply never waits behind a campaign.
type lane struct {
	number id.Number
	reply  bool
}

// turns lets so many messages of a lane do a thing at the same time; the others
// wait outside, first come, first served.
type turns struct {
	mu sync.Mutex
	of map[lane]*turn
}

type turn struct {
	size int             // how many may, as the last who came said
	held int             // how many do
	line []chan struct{} // who waits; closed when the turn is theirs
}

// askers may ask the limiter: enough for 1,000/s while a question takes two
// milliseconds. All that wait for the next departure would otherwise ask for it
// together, all but one in vain, and again: four questions for each message.
const askers = 2

// claimers may claim and book: what may depart in a twentieth of a second. A
// claim is good for a quarter; when the database is slow, more of them would
// only come too late and be given back, which makes it slower.
func claimers(perSecond int) int { return max(2, perSecond/20) }

func newTurns() *turns { return &turns{of: map[lane]*turn{}} }

// take waits for a turn until the limit; false means there was none. Whoever
// got one calls leave, once.
func (t *turns) take(ctx context.Context, l lane, size int, limit time.Duration) bool {
	mine, ok := t.join(l, size)
	if ok {
		return true
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-mine:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return !t.giveUp(l, mine)
}

// leave gives a turn to the next.
func (t *turns) leave(l lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	it := t.of[l]
	if it == nil { // a turn that was left twice
		return
	}
	it.held--
	t.admit(l, it)
}

// join takes a turn that is free, or stands in line.
func (t *turns) join(l lane, size int) (mine chan struct{}, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	it := t.of[l]
	if it == nil {
		it = &turn{}
		t.of[l] = it
	}
	it.size = max(size, 1)
	mine = make(chan struct{})
	it.line = append(it.line, mine)
	t.admit(l, it) // those before first: the size may have grown
	select {
	case <-mine:
		return mine, true
	default:
		return mine, false
	}
}

// giveUp leaves the line; false when the turn came at the last moment after all.
func (t *turns) giveUp(l lane, mine chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	it := t.of[l]
	if it == nil {
		return false
	}
	at := slices.Index(it.line, mine)
	if at < 0 {
		return false
	}
	it.line = slices.Delete(it.line, at, at+1)
	t.admit(l, it)
	return true
}

// admit lets in whom there is room for, and forgets a lane that nobody is in.
func (t *turns) admit(l lane, it *turn) {
	for len(it.line) > 0 && it.held < it.size {
		it.held++
		close(it.line[0])
		it.line = it.line[1:]
	}
	if it.held == 0 && len(it.line) == 0 {
		delete(t.of, l)
	}
}
