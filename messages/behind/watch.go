package behind

import (
	"context"
	"sync"
	"time"

	"bareed/internal/clock"
	"bareed/messages"
)

// Watch is what a process that claims knows of how far the ledger has come: the
// newest mark that Redis ever told it. It outlives both servers, so that a
// PostgreSQL that lags behind the one before it is refused its claims at once.
type Watch struct {
	ask func(context.Context) (string, error)

	mu    sync.Mutex
	known Mark
}

// NewWatch builds one over what reads the mark in Redis; "" is none.
func NewWatch(ask func(context.Context) (string, error)) *Watch { return &Watch{ask: ask} }

// Known is for messages.Want.
func (w *Watch) Known() messages.Known {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known.Known()
}

// Look asks once. Before the first claim it must have succeeded.
func (w *Watch) Look(ctx context.Context) error {
	s, err := w.ask(ctx)
	if err != nil {
		return err
	}
	seen := Parse(s)
	w.mu.Lock()
	defer w.mu.Unlock()
	if seen.N > 0 && (seen.N > w.known.N || seen.Installation != w.known.Installation) {
		w.known = seen
	}
	return nil
}

// Run looks four times a second until ctx ends. Without Redis nothing is sent,
// so what it misses meanwhile costs nothing.
func (w *Watch) Run(ctx context.Context) error {
	for clock.Pause(ctx, 250*time.Millisecond) {
		_ = w.Look(ctx)
	}
	return nil
}
