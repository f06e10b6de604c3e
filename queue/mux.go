package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// Mux holds one handler per type of task. All handlers are registered before
// Servers.Run.
//
// What a handler returns stays out of Redis and the dashboard, which show that
// the task will be tried again and no more; the error itself is in the log.
type Mux struct {
	log      *slog.Logger
	handlers map[string]func(context.Context, Task) error
	counts   map[string]*counts
	running  sync.WaitGroup
}

// Counts is what became of the tasks of one type in this process.
type Counts struct {
	Done     int64
	Failed   int64 // to be tried again
	Panicked int64 // among Failed
	Dropped  int64 // unreadable, or no handler for it
}

type counts struct{ done, failed, panicked, dropped atomic.Int64 }

// unknownName counts tasks of a type that is not in the table.
const unknownName = "unknown"

// NewMux returns one without handlers.
func NewMux(log *slog.Logger) *Mux {
	m := &Mux{log: log, handlers: map[string]func(context.Context, Task) error{}, counts: map[string]*counts{}}
	for _, s := range specs {
		m.counts[s.Name] = &counts{}
	}
	m.counts[unknownName] = &counts{}
	return m
}

// Handle registers the handler of T; the last one wins.
//
// The handler's context is asynq's: it ends with the task's timeout, with a
// lost lease and with "cancel" in the dashboard, and for all but sends shortly
// before a shutdown gives up waiting. A request to Meta must not use it: one
// that is cut in half may have been accepted. A returned error has the task
// tried again after 1 to 5 s, without end; so return one only when the work
// could not be done at all, such as when PostgreSQL is unreachable.
func Handle[T Task](m *Mux, f func(context.Context, T) error) {
	var zero T
	m.handlers[zero.Name()] = func(ctx context.Context, t Task) error { return f(ctx, t.(T)) }
}

// Counts returns the counters by type of task; types nobody knows are "unknown".
func (m *Mux) Counts() map[string]Counts {
	all := make(map[string]Counts, len(m.counts))
	for name, c := range m.counts {
		all[name] = Counts{Done: c.done.Load(), Failed: c.failed.Load(), Panicked: c.panicked.Load(), Dropped: c.dropped.Load()}
	}
	return all
}

// process never asks asynq to skip retries, which would archive the task: what
// cannot be handled is done with.
func (m *Mux) process(ctx context.Context, a *asynq.Task) error {
	m.running.Add(1)
	defer m.running.Done()
	spec, known := specOf(a.Type())
	if !known {
		// The type's name is not ours, so it is not to be trusted in a log either.
		m.counts[unknownName].dropped.Add(1)
		m.log.WarnContext(ctx, "task dropped: unknown type")
		return nil
	}
	count := m.counts[spec.Name]
	t, err := spec.decode(a.Payload())
	handle := m.handlers[spec.Name]
	if err != nil || handle == nil {
		count.dropped.Add(1)
		m.log.WarnContext(ctx, "task dropped", "task", spec.Name, "readable", err == nil, "handled", handle != nil)
		return nil
	}
	if err := m.guard(ctx, handle, t, count); err != nil {
		count.failed.Add(1)
		m.log.WarnContext(ctx, "task to be tried again", "task", spec.Name, "id", t.ID(), "err", err)
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s stopped: %w", spec.Name, context.Canceled)
		}
		return fmt.Errorf("%s to be tried again, the reason is in the log", spec.Name)
	}
	count.done.Add(1)
	return nil
}

var errPanic = errors.New("panic")

// guard turns a panic into an error. The value panicked with is not logged, as
// it may hold anything; the stack has functions and lines only.
func (m *Mux) guard(ctx context.Context, handle func(context.Context, Task) error, t Task, count *counts) (err error) {
	defer func() {
		if recover() != nil {
			count.panicked.Add(1)
			m.log.ErrorContext(ctx, "task panicked", "task", t.Name(), "id", t.ID(), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return handle(ctx, t)
}

// drained waits for handlers that asynq has given up on, until the limit.
func (m *Mux) drained(limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		m.running.Wait()
		close(done)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
