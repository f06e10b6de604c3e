//go:build unix

package prove

import (
	"context"
	"sync"
	"time"

	"bareed/internal/clock"
)

// lag measures how late this machine wakes a sleeper: what the rig measures of
// the product can be no more exact than that.
type lag struct {
	mu     sync.Mutex
	late   []lateness
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

type lateness struct {
	from, to time.Time
	by       time.Duration
}

const beat = 5 * time.Millisecond

func watchLag(ctx context.Context) *lag {
	ctx, cancel := context.WithCancel(ctx)
	l := &lag{cancel: cancel}
	l.wg.Go(func() {
		for {
			began := time.Now()
			if !clock.Pause(ctx, beat) {
				return
			}
			if by := time.Since(began) - beat; by > beat {
				l.mu.Lock()
				l.late = append(l.late, lateness{began, time.Now(), by})
				l.mu.Unlock()
			}
		}
	})
	return l
}

func (l *lag) stop() {
	l.cancel()
	l.wg.Wait()
}

// between sums what was lost in a time.
func (l *lag) between(from, to time.Time) (sum time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.late {
		if x.to.After(from) && x.from.Before(to) {
			sum += x.by
		}
	}
	return sum
}
