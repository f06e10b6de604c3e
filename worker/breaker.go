package worker

import (
	"sync"
	"time"

	"bareed/internal/id"
	"bareed/whatsapp"
)

// breakers rest a number while Meta cannot be reached, or answers without saying
// what became of a message: every further message would end as unknown and wait a
// day for a receipt. One message in a while finds out whether it is over. Of this
// process only, like the streaks: several workers send a probe each.
type breakers struct {
	mu sync.Mutex
	of map[id.Number]*breaker
}

// breaker is what was seen of one number's requests.
type breaker struct {
	unreached int                 // requests in a row that never left
	doubtful  [recentAnswers]bool // of the last answers, which left the message unknown
	doubts    int
	next      int       // place in doubtful
	open      time.Time // since when it rests; zero: it does not
	probe     time.Time // when the next message may go all the same
}

const (
	// unreachedMost is how many requests in a row may find no connection.
	unreachedMost = 20
	// recentAnswers are looked back on, and a fifth of them may leave their
	// message unknown.
	recentAnswers = 50
	doubtfulMost  = recentAnswers / 5
	// probeEvery is the distance of the probes.
	probeEvery = 5 * time.Second
)

func newBreakers() *breakers { return &breakers{of: map[id.Number]*breaker{}} }

// hold is how long a message of the number has to wait, 0 if it may go now. While
// the number rests, one who is told 0 is the probe.
func (b *breakers) hold(n id.Number, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	it := b.of[n]
	if it == nil || it.open.IsZero() {
		return 0
	}
	if left := it.probe.Sub(now); left > 0 {
		return left
	}
	it.probe = now.Add(probeEvery)
	return 0
}

// change is what an answer did to a breaker.
type change int

const (
	unchanged change = iota
	opened
	closed
)

// note counts the answer to a request that left at began. While the number
// rests, only what left since then is news.
func (b *breakers) note(n id.Number, began, now time.Time, o whatsapp.Outcome) change {
	b.mu.Lock()
	defer b.mu.Unlock()
	it := b.of[n]
	if it == nil {
		it = &breaker{}
		b.of[n] = it
	}
	good := o != whatsapp.NeverLeft && o != whatsapp.Unknown
	if !it.open.IsZero() {
		if !good || began.Before(it.open) {
			return unchanged
		}
		delete(b.of, n)
		return closed
	}
	it.count(o)
	if it.unreached < unreachedMost && it.doubts <= doubtfulMost {
		return unchanged
	}
	it.open, it.probe = now, now.Add(probeEvery)
	return opened
}

func (it *breaker) count(o whatsapp.Outcome) {
	if o == whatsapp.NeverLeft {
		it.unreached++
		return
	}
	it.unreached = 0
	if it.doubtful[it.next] {
		it.doubts--
	}
	if it.doubtful[it.next] = o == whatsapp.Unknown; it.doubtful[it.next] {
		it.doubts++
	}
	it.next = (it.next + 1) % recentAnswers
}

// noteAnswer has the number's breaker learn from an answer, and says in the log
// when it begins to rest and when it goes on.
func (w *Worker) noteAnswer(n id.Number, began time.Time, got whatsapp.SendResult) {
	switch w.breakers.note(n, began, w.Clock(), got.Outcome) {
	case opened:
		w.Log.Warn("a number rests: Meta cannot be reached or does not say what became of messages",
			"number", n, "last", got.Title, "probes every", probeEvery)
	case closed:
		w.Log.Info("a number goes on: Meta answers again", "number", n)
	}
}
