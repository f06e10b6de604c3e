package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"bareed/internal/id"
	"bareed/queue"
)

func TestEachTaskReachesItsHandler(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	var mu sync.Mutex
	got := map[string]queue.Task{}
	handleAll(s.mux, func(task queue.Task) {
		mu.Lock()
		defer mu.Unlock()
		got[task.ID()] = task
	})
	s.serve(queue.ServersConfig{Slots: 8})
	tasks := everyTask()
	s.enqueue(tasks...)
	until(t, "all tasks to be handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == len(tasks)
	})
	for _, want := range tasks {
		if g := got[want.ID()]; g == nil || g.Name() != want.Name() || g.Queue() != want.Queue() {
			t.Errorf("%s came as %+v", want.Name(), g)
		}
	}
	until(t, "queues to be empty", func() bool {
		for _, q := range []string{queue.Send, queue.SendReply, queue.Events, queue.Import, queue.Sync} {
			if s.stats(q).Size != 0 {
				return false
			}
		}
		return true
	})
	if c := s.mux.Counts(); c["message:send"].Done != 2 || c["waba:sync"].Done != 1 || c["unknown"].Dropped != 0 {
		t.Errorf("counts = %+v", c)
	}
}

func handleAll(m *queue.Mux, f func(queue.Task)) {
	queue.Handle(m, func(_ context.Context, t queue.SendMessage) error { f(t); return nil })
	queue.Handle(m, func(_ context.Context, t queue.ImportContacts) error { f(t); return nil })
	queue.Handle(m, func(_ context.Context, t queue.CheckCampaign) error { f(t); return nil })
	queue.Handle(m, func(_ context.Context, t queue.PlanRun) error { f(t); return nil })
	queue.Handle(m, func(_ context.Context, t queue.ApplyEvents) error { f(t); return nil })
	queue.Handle(m, func(_ context.Context, t queue.SyncWABA) error { f(t); return nil })
}

func TestGarbageIsDroppedNotArchived(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	queue.Handle(s.mux, func(context.Context, queue.SendMessage) error {
		t.Error("the handler was given garbage")
		return nil
	})
	for _, payload := range []string{"", "{", "null", "[]", `"+4915112345678"`, `{"w":"ws_x"}`, `{"o":-1}`, "\xff\x00", `{"r":{}}`} {
		s.raw("message:send", []byte(payload), queue.Send)
	}
	s.raw("message:send+4915112345678", []byte("{}"), queue.SendReply)
	s.enqueue(queue.SyncWABA{Workspace: id.New[id.Workspace](), WABA: id.New[id.WABA]()}) // nobody handles it here
	s.serve(queue.ServersConfig{Slots: 4})
	until(t, "garbage to be dropped", func() bool {
		c := s.mux.Counts()
		return c["message:send"].Dropped == 9 && c["unknown"].Dropped == 1 && c["waba:sync"].Dropped == 1
	})
	for _, q := range []string{queue.Send, queue.SendReply, queue.Sync} {
		until(t, q+" to be empty", func() bool { return s.stats(q).Size == 0 })
		if n := s.stats(q).Archived; n != 0 {
			t.Errorf("%d archived in %s", n, q)
		}
	}
	if strings.Contains(s.log.String(), "4915112345678") {
		t.Error("the log shows what was in the garbage")
	}
}

func TestErrorsAndPanicsAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const secret = "+4915112345678"
	var calls atomic.Int32
	looked := make(chan struct{})
	queue.Handle(s.mux, func(context.Context, queue.SendMessage) error {
		switch calls.Add(1) {
		case 1:
			panic(secret)
		case 2:
			return asynq.SkipRetry // even this must not archive a task
		}
		<-looked // afterwards the task is gone
		return nil
	})
	s.serve(queue.ServersConfig{Slots: 4})
	goOn := sync.OnceFunc(func() { close(looked) })
	t.Cleanup(goOn)
	m := message()
	s.enqueue(m)
	var info *asynq.TaskInfo
	until(t, "the panic to be noted", func() bool {
		var err error
		info, err = asynq.NewInspectorFromRedisClient(s.rdb).GetTaskInfo(queue.Send, m.ID())
		return err == nil && info.LastErr != ""
	})
	if strings.Contains(info.LastErr, secret) || strings.Contains(s.log.String(), secret) {
		t.Errorf("the value panicked with is shown: %s", info.LastErr)
	}
	if !strings.Contains(s.log.String(), m.ID()) {
		t.Error("the log does not say which task panicked")
	}
	goOn()
	until(t, "the third try", func() bool { return s.mux.Counts()["message:send"].Done == 1 })
	if c := s.mux.Counts()["message:send"]; c.Failed != 2 || c.Panicked != 1 {
		t.Errorf("counts = %+v", c)
	}
	until(t, "the queue to be empty", func() bool { return s.stats(queue.Send).Size == 0 })
}

func TestErrorTextStaysOutOfRedis(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	queue.Handle(s.mux, func(context.Context, queue.PlanRun) error { return errors.New("plan: duplicate key (Ahmad)") })
	s.serve(queue.ServersConfig{Slots: 4})
	p := queue.PlanRun{Workspace: id.New[id.Workspace](), Run: id.New[id.Run]()}
	s.enqueue(p)
	until(t, "the error to be noted", func() bool { return s.stats(queue.Import).Retry == 1 })
	info, err := asynq.NewInspectorFromRedisClient(s.rdb).GetTaskInfo(queue.Import, p.ID())
	if err != nil || strings.Contains(info.LastErr, "Ahmad") || info.LastErr == "" {
		t.Errorf("last error in Redis = %q, %v", info.LastErr, err)
	}
	if !strings.Contains(s.log.String(), "Ahmad") {
		t.Error("the error is not in the log")
	}
}

func TestStopLetsSendsFinish(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	began, finish := make(chan struct{}, 8), make(chan struct{})
	var finished atomic.Int32
	queue.Handle(s.mux, func(ctx context.Context, _ queue.SendMessage) error {
		began <- struct{}{}
		<-finish
		if ctx.Err() != nil {
			t.Error("a send's context ended with the stop")
		}
		finished.Add(1)
		return nil
	})
	stop := s.serve(queue.ServersConfig{Slots: 5, SendServers: 2}) // one of them for replies
	for range 4 {
		s.enqueue(message())
	}
	for range 4 {
		<-began
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	s.enqueue(message())
	select {
	case <-stopped:
		t.Fatal("stopped while sends were in flight")
	case <-began:
		t.Fatal("fetched a task while all slots are taken")
	case <-time.After(100 * time.Millisecond):
	}
	close(finish)
	<-stopped
	if finished.Load() != 4 {
		t.Errorf("%d of 4 finished", finished.Load())
	}
	if q := s.stats(queue.Send); q.Pending != 1 || q.Active != 0 || q.Retry != 0 {
		t.Errorf("send afterwards = %+v, want the fifth task waiting", q)
	}
}

// A busy machine may miss the fifth of the time that a handler has to leave in
// order, so that one of a few tries decides.
func TestStopEndsLongWork(t *testing.T) {
	t.Parallel()
	const tries = 3
	for try := 1; ; try++ {
		fault := stopLongWork(t)
		if fault == "" {
			return
		}
		if t.Logf("try %d: %s", try, fault); try == tries {
			t.Fatal(fault)
		}
	}
}

// stopLongWork stops a server in the middle of an import and says what is wrong
// with how it ended.
func stopLongWork(t *testing.T) string {
	t.Helper()
	s := newStand(t)
	began := make(chan struct{})
	queue.Handle(s.mux, func(ctx context.Context, _ queue.ImportContacts) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	})
	stop := s.serve(queue.ServersConfig{Slots: 1, Shutdown: time.Second})
	s.enqueue(queue.ImportContacts{Workspace: id.New[id.Workspace](), Import: id.New[id.Import]()})
	<-began
	start := time.Now()
	stop()
	if d := time.Since(start); d < 700*time.Millisecond || d > 3*time.Second {
		return fmt.Sprintf("stopping took %v, want what Shutdown allows", d)
	}
	if q := s.stats(queue.Import); q.Retry != 1 || q.Archived != 0 || q.Failed != 0 {
		return fmt.Sprintf("import afterwards = %+v, want one to be tried again, not failed", q)
	}
	return ""
}

func TestImportsTakeNoSendSlots(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	queue.Handle(s.mux, func(ctx context.Context, _ queue.ImportContacts) error { <-ctx.Done(); return ctx.Err() })
	var sent atomic.Int32
	queue.Handle(s.mux, func(context.Context, queue.SendMessage) error { sent.Add(1); return nil })
	s.serve(queue.ServersConfig{Slots: 2, ImportSlots: 2, Shutdown: 200 * time.Millisecond})
	for range 10 {
		s.enqueue(queue.ImportContacts{Workspace: id.New[id.Workspace](), Import: id.New[id.Import]()})
	}
	until(t, "imports to fill their slots", func() bool { return s.stats(queue.Import).Active == 2 })
	for range 20 {
		s.enqueue(message())
	}
	until(t, "sends beside the imports", func() bool { return sent.Load() == 20 })
}

func TestRepliesDoNotWaitBehindACampaign(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	hold := make(chan struct{})
	var replied, sent atomic.Int32
	queue.Handle(s.mux, func(_ context.Context, m queue.SendMessage) error {
		if m.Reply {
			replied.Add(1)
			return nil
		}
		<-hold // a campaign whose every message hangs
		sent.Add(1)
		return nil
	})
	s.serve(queue.ServersConfig{Slots: 4, SendServers: 2})
	for range 20 {
		s.enqueue(message())
	}
	until(t, "the campaign to fill its slots", func() bool { return s.stats(queue.Send).Active == 3 })
	for range 20 {
		m := message()
		m.Reply = true
		s.enqueue(m)
	}
	until(t, "all replies", func() bool { return replied.Load() == 20 })
	if sent.Load() != 0 {
		t.Errorf("%d of the campaign went before the replies", sent.Load())
	}
	close(hold)
	until(t, "the campaign", func() bool { return sent.Load() == 20 })
}

func TestServersOutliveRedis(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	var sent atomic.Int32
	queue.Handle(s.mux, func(context.Context, queue.SendMessage) error { sent.Add(1); return nil })
	s.serve(queue.ServersConfig{Slots: 4})
	s.enqueue(message())
	until(t, "the first send", func() bool { return sent.Load() == 1 })
	s.server.Restart()
	until(t, "enqueue after the restart", func() bool { return s.client.Enqueue(t.Context(), message()) == nil })
	until(t, "a send after the restart", func() bool { return sent.Load() >= 2 })
}

// BenchmarkTasks measures four send servers with a handler that does nothing.
func BenchmarkTasks(b *testing.B) {
	s := newStand(b)
	tasks := make([]queue.Task, b.N)
	for i := range tasks {
		tasks[i] = message()
	}
	var done atomic.Int64
	finished := make(chan struct{})
	queue.Handle(s.mux, func(context.Context, queue.SendMessage) error {
		if done.Add(1) == int64(len(tasks)) {
			close(finished)
		}
		return nil
	})
	s.enqueue(tasks...)
	b.ResetTimer()
	s.serve(queue.ServersConfig{})
	<-finished
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}
