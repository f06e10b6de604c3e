//go:build unix

package prove

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"bareed/internal/clock"
	"bareed/internal/rig"
)

// supervisor starts again what ends, as an operating system's does.
type supervisor struct {
	rig     *rig.Rig
	history *history
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex
	again   map[string]int // by name
}

// away is how long a process stays away.
const away = 100 * time.Millisecond

func supervise(hard context.Context, r *rig.Rig, h *history) *supervisor {
	ctx, cancel := context.WithCancel(hard)
	s := &supervisor{rig: r, history: h, cancel: cancel, again: map[string]int{}}
	names := []string{"api"}
	for i := range workers {
		names = append(names, fmt.Sprintf("worker%d", i+1))
	}
	for i := range schedulers {
		names = append(names, fmt.Sprintf("scheduler%d", i+1))
	}
	for _, name := range names {
		s.wg.Go(func() { s.watch(ctx, hard, name) })
	}
	return s
}

func (s *supervisor) watch(ctx, hard context.Context, name string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.rig.Process(name).Done():
		}
		s.history.Note("ended", name, fmt.Sprint(s.rig.Process(name).Err()))
		if !clock.Pause(ctx, away) {
			return
		}
		if err := s.rig.StartProcess(hard, name); err != nil {
			s.history.Note("trouble", name, err.Error())
			continue
		}
		s.history.Note("started", name, "")
		s.mu.Lock()
		s.again[name]++
		s.mu.Unlock()
	}
}

// restarts counts those of processes whose name begins so.
func (s *supervisor) restarts(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, times := range s.again {
		if strings.HasPrefix(name, prefix) {
			n += times
		}
	}
	return n
}

// stop leaves the processes to rig.Stop.
func (s *supervisor) stop() {
	s.cancel()
	s.wg.Wait()
}
