package worker

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bareed/internal/id"
)

// squares is a database that squares what it is asked, as soon as the gate opens.
type squares struct {
	mu    sync.Mutex
	calls int
	asked int
	gate  chan struct{}
	err   error
	of    map[id.Workspace]int // whose questions are even (0) or odd (1); nil: anybody's
	mixed bool
}

func (s *squares) do(_ context.Context, ws id.Workspace, qs []int) ([]int, error) {
	s.mu.Lock()
	s.calls, s.asked = s.calls+1, s.asked+len(qs)
	for _, q := range qs {
		s.mixed = s.mixed || len(s.of) > 0 && q%2 != s.of[ws]
	}
	s.mu.Unlock()
	<-s.gate
	out := make([]int, len(qs))
	for i, q := range qs {
		out[i] = q * q
	}
	return out, s.err
}

// Questions that wait together are answered by few calls, each question by its
// own answer.
func TestBatchesAnswerEachQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pending sync.WaitGroup
		db := &squares{gate: make(chan struct{})}
		b := newBatches(&pending, db.do)
		ws := id.New[id.Workspace]()
		var wg sync.WaitGroup
		ask := func(i int) {
			wg.Go(func() {
				if got, err := b.ask(t.Context(), ws, i); err != nil || got != i*i {
					t.Errorf("%d: got %d, %v", i, got, err)
				}
			})
		}
		ask(0)
		synctest.Wait()
		if db.calls != 1 || db.asked != 1 {
			t.Fatalf("%d calls for %d questions: a lone one does not go at once", db.calls, db.asked)
		}
		const crowd = 40
		for i := range crowd {
			ask(i + 1)
		}
		synctest.Wait()
		if db.calls > batchFlying {
			t.Errorf("%d statements on their way at once, at most %d may be", db.calls, batchFlying)
		}
		close(db.gate)
		wg.Wait()
		pending.Wait()
		if db.asked != crowd+1 || db.calls > batchFlying+1 {
			t.Errorf("%d questions in %d calls, want %d in %d", db.asked, db.calls, crowd+1, batchFlying+1)
		}
		if len(b.waiting) != 0 || len(b.flying) != 0 {
			t.Errorf("something is left: %d waiting, %d flying", len(b.waiting), len(b.flying))
		}
	})
}

// A stream gathers: between two statements passes batchPause at least.
func TestBatchesGatherAStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pending sync.WaitGroup
		db := &squares{gate: make(chan struct{})}
		close(db.gate)
		b := newBatches(&pending, db.do)
		ws := id.New[id.Workspace]()
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { _, _ = b.ask(t.Context(), ws, i) })
			time.Sleep(2 * time.Millisecond) // of the bubble's clock
		}
		wg.Wait()
		pending.Wait()
		if most := int(200*time.Millisecond/batchPause) + 1; db.asked != 100 || db.calls > most {
			t.Errorf("%d questions in %d calls, want 100 in %d", db.asked, db.calls, most)
		}
	})
}

func TestBatchesTellEveryoneOfAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pending sync.WaitGroup
		db := &squares{gate: make(chan struct{}), err: errors.New("the database is away")}
		b := newBatches(&pending, db.do)
		ws := id.New[id.Workspace]()
		told := make(chan error, 50)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range cap(told) {
			go func() {
				_, err := b.ask(ctx, ws, i)
				told <- err
			}()
		}
		synctest.Wait()
		cancel() // a slot must learn what became of its claim all the same
		synctest.Wait()
		if len(told) > 0 {
			t.Errorf("%d went without an answer", len(told))
		}
		close(db.gate)
		for range cap(told) {
			if err := <-told; !errors.Is(err, db.err) {
				t.Errorf("told %v", err)
			}
		}
		pending.Wait()
	})
}

func TestBatchesDoNotMixWorkspaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pending sync.WaitGroup
		even, odd := id.New[id.Workspace](), id.New[id.Workspace]()
		db := &squares{gate: make(chan struct{}), of: map[id.Workspace]int{even: 0, odd: 1}}
		b := newBatches(&pending, db.do)
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				if got, err := b.ask(t.Context(), []id.Workspace{even, odd}[i%2], i); err != nil || got != i*i {
					t.Errorf("%d: got %d, %v", i, got, err)
				}
			})
		}
		synctest.Wait()
		close(db.gate)
		wg.Wait()
		pending.Wait()
		if db.mixed || db.asked != 200 {
			t.Errorf("%d questions; in a statement of another workspace: %v", db.asked, db.mixed)
		}
	})
}
