package worker

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// atFault does the work of a task and has failed count it when what went wrong is
// the fault of what was worked on, so that it is not tried for ever. A panic is,
// and the queue will tell of it; the end of the process and a moment of the
// database's are not.
func atFault(ctx context.Context, work, failed func() error) error {
	returned := false
	defer func() {
		if !returned {
			_ = failed()
		}
	}()
	err := work()
	returned = true
	if err == nil || passing(ctx, err) {
		return err
	}
	return errors.Join(err, failed())
}

// passing tells an error that says nothing of what was worked on.
func passing(ctx context.Context, err error) bool { return ctx.Err() != nil || pg.Momentary(err) }

// afterwards is InWorkspace for what is written when a task has ended, also while
// this process shuts down.
func (w *Worker) afterwards(ctx context.Context, ws id.Workspace, most time.Duration, fn func(ctx context.Context, tx pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	return w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error { return fn(ctx, tx) })
}
