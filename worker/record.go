package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/consents"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/whatsapp"
)

// answer is everything that one answer of Meta changes.
type answer struct {
	claim  messages.Claim
	result messages.Result
	stop   *messages.Opening
	optOut bool
}

// streaks counts, per run, messages refused in a row as malformed or for an
// unlisted reason. Of this process only: two workers stop after five each.
type streaks struct {
	mu sync.Mutex
	of map[id.Run]int
}

// inARow is how many such refusals open a stop.
const inARow = 5

func (s *streaks) note(run id.Run, bad bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !bad {
		delete(s.of, run)
		return 0
	}
	s.of[run]++
	return s.of[run]
}

// judge turns Meta's answer into what it changes in the ledger.
func (w *Worker) judge(c messages.Claim, got whatsapp.SendResult) answer {
	a := answer{claim: c, result: messages.ResultOf(c, got), optOut: got.OptOut}
	class := whatsapp.Classify(got.Code)
	if got.Outcome == whatsapp.StopSending {
		// Also one without Meta's code: a token that cannot be sent at all.
		class.Outcome, class.Scope, class.Title = got.Outcome, got.Scope, got.Title
		if o, ok := messages.StopForCode(class, got.Code, c); ok {
			a.stop = &o
		}
		return a
	}
	if got.Outcome != whatsapp.Accepted && !got.HasCode {
		return a
	}
	bad := got.Outcome == whatsapp.RefusedForGood && class.HandlingClass == "fix-request"
	if got.Outcome == whatsapp.Accepted || bad {
		if n := w.streaks.note(c.Message.Run, bad); n >= inARow {
			o := messages.RefusedInARow(c, got.Code)
			a.stop = &o
		}
	}
	return a
}

// record writes an answer, trying again while the claim lives. Given up, or
// refused by PostgreSQL for what it holds, the row turns unknown and the echo
// resolves it.
func (w *Worker) record(ctx context.Context, ws id.Workspace, a answer) error {
	for try := 0; ; try++ {
		refused, err := w.records.ask(ctx, ws, a)
		if err == nil {
			if refused != nil {
				w.Log.Error("record an answer", "message", a.claim.Message, "error", refused)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("record an answer, tried %d times: %w", try+1, err)
		case <-time.After(time.Duration(min(try+1, 10)) * 100 * time.Millisecond):
		}
	}
}

// recordAll writes the answers of several slots of one workspace in one
// transaction, with the stops and opt-outs they bring. One that holds a value
// PostgreSQL refuses does not cost the others: then each goes alone, and the
// error of its own is its answer.
func (w *Worker) recordAll(ctx context.Context, ws id.Workspace, answers []answer) ([]error, error) {
	refused := make([]error, len(answers))
	err := w.recordTogether(ctx, ws, answers)
	if !pg.Unfit(err) {
		return refused, err
	}
	for i := range answers {
		if err := w.recordTogether(ctx, ws, answers[i:i+1]); pg.Unfit(err) {
			refused[i] = err
		} else if err != nil {
			return nil, err
		}
	}
	return refused, nil
}

func (w *Worker) recordTogether(ctx context.Context, ws id.Workspace, answers []answer) error {
	results := make([]messages.Result, len(answers))
	effects := false
	for i, a := range answers {
		results[i] = a.result
		effects = effects || a.stop != nil || a.optOut
	}
	if !effects {
		return messages.RecordAlone(ctx, w.Pool, ws, results)
	}
	return w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
		if err := messages.Record(ctx, tx, ws, results); err != nil {
			return err
		}
		for _, a := range answers {
			if err := w.recordEffects(ctx, tx, ws, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *Worker) recordEffects(ctx context.Context, tx pgx.Tx, ws id.Workspace, a answer) error {
	if a.stop != nil {
		if _, err := messages.OpenStop(ctx, tx, ws, *a.stop); err != nil {
			return err
		}
	}
	if !a.optOut {
		return nil
	}
	// Under a savepoint: what is refused about one person (erased since the
	// claim) must not take the answers of the whole batch with it.
	err := pgx.BeginFunc(ctx, tx, func(point pgx.Tx) error { return w.optOut(ctx, point, ws, a.claim) })
	if _, refused := errs.As(err); refused {
		w.Log.Warn("keep an opt-out that Meta reports", "message", a.claim.Message, "error", err)
		return nil
	}
	return err
}

const sqlNow = `select bareed_now()`

// optOut keeps the refusal that error 131050 means, at the database's time:
// this machine's clock may be ahead of it, and what is still to come is refused.
func (w *Worker) optOut(ctx context.Context, tx pgx.Tx, ws id.Workspace, c messages.Claim) error {
	var now time.Time
	if err := tx.QueryRow(ctx, sqlNow).Scan(&now); err != nil {
		return fmt.Errorf("read the database's time: %w", err)
	}
	return consents.OptOut(ctx, tx, w.Vault, ws, consents.OptOutRequest{
		Contact: c.Contact, Purposes: []consents.Purpose{consents.Marketing},
		Method: consents.MethodMeta131050, Source: c.Message.String(), OccurredAt: now, Actor: "system:answer",
	})
}
