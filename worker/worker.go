// Package worker performs the queue's tasks, one file per task. It is the only
// caller of limits and of Meta. cmd starts it; it must not enqueue: what has to
// be done later is a row, and the scheduler finds it.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"bareed/accounts"
	rules "bareed/campaigns/breaker"
	"bareed/internal/clock"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/limits"
	"bareed/messages"
	"bareed/queue"
	"bareed/whatsapp"
)

// Config is what a Worker is built from.
type Config struct {
	Pool   *pg.Pool
	Vault  *accounts.Vault
	Meta   *whatsapp.Client
	Limits *limits.Limiter
	Clock  clock.Clock
	Log    *slog.Logger
	Name   string // of this process, in claimed_by
	Slots  int    // concurrent sends

	Rules rules.Limits          // the operator's, of what holds a run; the program's own when zero
	Known func() messages.Known // how far the ledger is known to have come; nil: not at all

	Blocked []string // countries that the operator lets nothing go to
}

// Worker performs tasks. It is safe for as many goroutines as the queue's
// servers use.
type Worker struct {
	Config
	slots    *slots
	senders  *senders
	askers   *turns // of the limiter
	claimers *turns // who claim and have not booked yet
	claims   *batches[messages.Want, *messages.Claim]
	refusals *batches[[]id.Message, struct{}]
	records  *batches[answer, error]
	effects  *batches[answer, error] // those with a stop or something for the person
	returns  *batches[messages.Returned, struct{}]
	streaks  streaks
	breakers *breakers
	unbuilt  unbuilt
	misfits  misfits
	news     news
	prepared prepared
	twice    atomic.Int64
	edges    func(edge)     // nil outside of tests
	pending  sync.WaitGroup // batches in the database
}

// New builds a worker; Tasks says what it can do.
func New(cfg Config) *Worker {
	w := &Worker{Config: cfg, slots: newSlots(cfg.Slots), askers: newTurns(), claimers: newTurns(),
		streaks: streaks{of: map[id.Run]int{}}, breakers: newBreakers()}
	w.senders = newSenders(w)
	w.claims = newBatches(&w.pending, w.claimAll)
	w.refusals = newBatches(&w.pending, w.settleAll)
	w.records = newBatches(&w.pending, w.recordAll)
	w.effects = newBatches(&w.pending, w.recordEffective)
	w.returns = newBatches(&w.pending, w.giveBackAll)
	return w
}

// Tasks returns the table of the tasks this worker performs.
func (w *Worker) Tasks() *queue.Mux {
	m := queue.NewMux(w.Log)
	queue.Handle(m, w.sendMessage)
	queue.Handle(m, w.applyEvents)
	queue.Handle(m, w.importContacts)
	queue.Handle(m, w.checkCampaign)
	queue.Handle(m, w.planRun)
	queue.Handle(m, w.syncWABA)
	return m
}

// Wait returns when no batch is in the database any more; call it after the
// queue's servers have stopped.
func (w *Worker) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		w.pending.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
