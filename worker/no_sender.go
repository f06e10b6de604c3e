package worker

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/queue"
)

// unready is how long a message waits whose number could not be read.
const unready = 5 * time.Second

// noSender ends a task whose number cannot be read: an error would have it tried
// again without end, beside its twins that the ledger offers every minute. A
// number that is gone offers it again by itself, if its run lives; a token or key
// that does not open will not by trying, so it stops the number until a person
// has seen to it.
func (w *Worker) noSender(ctx context.Context, t queue.SendMessage, cause error) error {
	if _, refused := errs.As(cause); refused {
		w.Log.Warn("no number to send from", "number", t.Number, "error", cause)
		return nil
	}
	w.Log.Error("read the sending number", "number", t.Number, "error", cause)
	if errors.Is(cause, seal.ErrOpen) {
		err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) error {
			_, err := messages.OpenStop(ctx, tx, t.Workspace, messages.Opening{
				Scope: messages.ScopeNumber, ScopeID: t.Number, Reason: "token_unreadable", ByRule: true,
				Threshold: "the first message", Measured: "the sealed access token does not open", By: "system:send"})
			return err
		})
		if err != nil {
			w.Log.Error("stop a number whose token does not open", "number", t.Number, "error", err)
		}
	}
	return w.giveBack(ctx, t.Workspace, messageOf(t), unready)
}
