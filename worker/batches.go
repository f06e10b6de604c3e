package worker

import (
	"context"
	"sync"
	"time"

	"bareed/internal/id"
)

// batches lets slots that wait at the same moment share one round trip to the
// database. What arrives while a statement is on its way goes with the next, and
// the next leaves batchPause after the last at the earliest: a lone message never
// waits, a stream of them gathers. Each slot has one question in it at most, so a claim
// statement of n rows is n slots' claims, one each.
type batches[Q, A any] struct {
	do      func(ctx context.Context, ws id.Workspace, questions []Q) ([]A, error)
	pending *sync.WaitGroup

	mu      sync.Mutex
	waiting map[id.Workspace][]*question[Q, A]
	flying  map[id.Workspace]int
}

type question[Q, A any] struct {
	ask    Q
	answer A
	err    error
	done   chan struct{}
}

const (
	batchMost   = 64 // questions in one statement
	batchFlying = 3  // statements of one workspace on their way at once
	batchCrowd  = 16 // questions waiting that are worth one more statement
	batchTime   = 10 * time.Second
	// batchPause: a statement for eight rows costs little more than one for two.
	batchPause = 20 * time.Millisecond
)

func newBatches[Q, A any](pending *sync.WaitGroup, do func(context.Context, id.Workspace, []Q) ([]A, error)) *batches[Q, A] {
	return &batches[Q, A]{do: do, pending: pending,
		waiting: map[id.Workspace][]*question[Q, A]{}, flying: map[id.Workspace]int{}}
}

// ask returns the answer to one question. It does not end early with ctx: a
// slot must learn what became of its claim.
func (b *batches[Q, A]) ask(ctx context.Context, ws id.Workspace, q Q) (A, error) {
	it := &question[Q, A]{ask: q, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting[ws] = append(b.waiting[ws], it)
	// One statement at a time gathers the most company; more only when one is
	// slow or many wait.
	if n := b.flying[ws]; n == 0 || n < batchFlying && len(b.waiting[ws]) >= batchCrowd {
		b.flying[ws]++
		b.pending.Go(func() { b.fly(context.WithoutCancel(ctx), ws) })
	}
	b.mu.Unlock()
	<-it.done
	return it.answer, it.err
}

// fly carries batches of a workspace until nothing waits.
func (b *batches[Q, A]) fly(ctx context.Context, ws id.Workspace) {
	for {
		batch := b.take(ws)
		if batch == nil {
			return
		}
		next := time.After(batchPause)
		b.carry(ctx, ws, batch)
		<-next
	}
}

func (b *batches[Q, A]) take(ws id.Workspace) []*question[Q, A] {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.waiting[ws]
	if len(all) == 0 {
		delete(b.waiting, ws)
		if b.flying[ws]--; b.flying[ws] == 0 {
			delete(b.flying, ws)
		}
		return nil
	}
	n := min(len(all), batchMost)
	b.waiting[ws] = all[n:]
	return all[:n:n]
}

func (b *batches[Q, A]) carry(ctx context.Context, ws id.Workspace, batch []*question[Q, A]) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	asks := make([]Q, len(batch))
	for i, it := range batch {
		asks[i] = it.ask
	}
	answers, err := b.do(ctx, ws, asks)
	for i, it := range batch {
		if it.err = err; err == nil {
			it.answer = answers[i]
		}
		close(it.done)
	}
}
