package worker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/clock"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/messages/consequences"
	"bareed/whatsapp"
	"bareed/whatsapp/codes"
)

// answer is everything that one answer of Meta changes.
type answer struct {
	claim  messages.Claim
	result messages.Result
	stop   *messages.Opening
	ends   *consequences.Failure // set when the code comes to something for the person
}

// streaks counts, per run, messages refused in a row as malformed or for an
// unlisted reason. Of this process only: two workers stop after five each.
type streaks struct {
	mu sync.Mutex
	of map[id.Run]int
}

// inARow is how many such refusals open a stop.
const inARow = consequences.InARow

func (s *streaks) note(run id.Run, bad bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !bad {
		delete(s.of, run)
		return 0
	}
	s.of[run]++
	if n = s.of[run]; n >= inARow {
		delete(s.of, run) // after its stop a run begins anew
	}
	return n
}

// judge turns Meta's answer into what it changes in the ledger.
func (w *Worker) judge(c messages.Claim, got whatsapp.SendResult) answer {
	a := answer{claim: c, result: messages.ResultOf(c, got)}
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
	refused := got.Outcome == whatsapp.RefusedForGood
	if got.HasCode && !class.Listed {
		w.news.tell(w.Log, got.Code)
	}
	if refused && got.HasCode && consequences.Any(got.Code) {
		a.ends = &consequences.Failure{Message: c.Message, Contact: c.Contact, Number: c.Number, Hash: c.Hash, Code: got.Code}
	}
	a.stop = w.overMany(c, got, refused)
	return a
}

// overMany counts an answer to the rules over many messages of a run; it is the
// stop that they open, or nil.
func (w *Worker) overMany(c messages.Claim, got whatsapp.SendResult, refused bool) *messages.Opening {
	rule := whatsapp.Classify(got.Code).Rule
	if got.Outcome != whatsapp.Accepted && (!refused || rule == "") {
		return nil
	}
	inRow, share := refused && rule == codes.InARow, refused && rule == codes.Share
	if inRow || !refused {
		if n := w.streaks.note(c.Message.Run, inRow); n >= inARow {
			o := messages.RefusedInARow(c, got.Code)
			return &o
		}
	}
	if o, over := w.misfits.note(c, got.Code, share); over {
		return &o
	}
	return nil
}

// record writes an answer, trying again while the claim lives. Given up, or
// refused by PostgreSQL for what it holds, the row turns unknown and the echo
// resolves it.
func (w *Worker) record(ctx context.Context, ws id.Workspace, a answer) error {
	with := w.records
	if a.stop != nil || a.ends != nil {
		with = w.effects
	}
	for try := 1; ; try++ {
		own, err := with.ask(ctx, ws, a)
		if err == nil {
			err = own
		}
		if err == nil {
			return nil
		}
		if pg.Unfit(err) {
			w.Log.Error("record an answer", "message", a.claim.Message, "error", err)
			return nil
		}
		// At random, or those who failed together would meet again.
		if !clock.Pause(ctx, rand.N(time.Duration(min(try, 10))*200*time.Millisecond)) {
			return fmt.Errorf("record an answer, tried %d times: %w", try, err)
		}
	}
}

// recordAll writes the answers of several slots of one workspace in one
// transaction: those that change nothing but their own rows, so that none waits
// for the lock of another's stop or opt-out. One that holds a value PostgreSQL
// refuses does not cost the others: then each goes alone, and the error of its
// own is its answer.
func (w *Worker) recordAll(ctx context.Context, ws id.Workspace, answers []answer) ([]error, error) {
	results := make([]messages.Result, len(answers))
	for i, a := range answers {
		results[i] = a.result
	}
	own := make([]error, len(answers))
	err := messages.RecordAlone(ctx, w.Pool, ws, results)
	if !pg.Particular(err) {
		return own, err
	}
	for i := range results {
		own[i] = messages.RecordAlone(ctx, w.Pool, ws, results[i:i+1])
	}
	return own, nil
}

// effectLocks is how long an answer's stop or what follows for its person waits
// for a lock before
// its slot tries again: others of its batch wait behind it.
const effectLocks = `set local lock_timeout = '1s'`

// recordEffective writes answers that bring a stop or something for a person, each with it
// in a transaction of its own: they wait for locks of different things, and the
// first stop is not to wait for the last.
func (w *Worker) recordEffective(ctx context.Context, ws id.Workspace, answers []answer) ([]error, error) {
	own := make([]error, len(answers))
	for i, a := range answers {
		own[i] = w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, effectLocks); err != nil {
				return fmt.Errorf("wait for locks briefly: %w", err)
			}
			if err := messages.Record(ctx, tx, ws, []messages.Result{a.result}); err != nil {
				return err
			}
			return w.recordEffects(ctx, tx, ws, a)
		})
	}
	return own, nil
}

func (w *Worker) recordEffects(ctx context.Context, tx pgx.Tx, ws id.Workspace, a answer) error {
	if a.stop != nil {
		if _, err := messages.OpenStop(ctx, tx, ws, *a.stop); err != nil {
			return err
		}
	}
	if a.ends == nil {
		return nil
	}
	return w.desk().ForPeople(ctx, tx, ws, "system:answer", []consequences.Failure{*a.ends})
}

func (w *Worker) desk() consequences.Desk { return consequences.Desk{Vault: w.Vault, Log: w.Log} }
