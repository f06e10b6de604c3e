package worker

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/messages/consequences"
	"bareed/messages/halts"
	"bareed/whatsapp"
)

// follow does what the failures among statuses come to for people and runs, in
// the statuses' transaction.
func (w *Worker) follow(ctx context.Context, tx pgx.Tx, ws id.Workspace, done messages.Applied) ([]consequences.Failure, error) {
	ended := make([]consequences.Failure, len(done.Ended))
	for i, e := range done.Ended {
		ended[i] = consequences.Failure{Message: e.Message, Contact: e.Contact, Number: e.Number, Hash: e.Hash, Code: e.Code, At: e.At}
	}
	const by = "system:status"
	if err := w.desk().ForPeople(ctx, tx, ws, by, ended); err != nil {
		return nil, err
	}
	if err := halts.Dropped(ctx, tx, ws, done.Ended); err != nil {
		return nil, err
	}
	return ended, w.desk().ForRuns(ctx, tx, ws, by, ended, done.Arrived)
}

// heardCodes tells the limiter of numbers whose throughput Meta says is exceeded,
// and the log of codes nobody knows, once the statuses are kept. A status that
// comes again ends no message again, so it slows nothing again.
func (w *Worker) heardCodes(ctx context.Context, ended []consequences.Failure) {
	var slowed []id.Number
	for _, f := range ended {
		if f.Code != 0 && !whatsapp.Classify(f.Code).Listed {
			w.news.tell(w.Log, f.Code)
		}
		if f.Code != whatsapp.CodeThroughput || slices.Contains(slowed, f.Number) {
			continue
		}
		slowed = append(slowed, f.Number)
		if err := w.Limits.Throttled(ctx, f.Number, 0); err != nil {
			w.Log.Warn("tell the limiter", "error", err)
		}
	}
}
