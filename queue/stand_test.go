package queue_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"bareed/internal/id"
	"bareed/internal/redistest"
	"bareed/queue"
)

// stand is a Redis with everything of this package on it.
type stand struct {
	t      testing.TB
	server *redistest.Server
	opts   *redis.Options
	rdb    *redis.Client
	client *queue.Client
	mux    *queue.Mux
	log    *buffer
}

func newStand(t testing.TB) *stand {
	t.Helper()
	s := &stand{t: t, server: redistest.Start(t), log: &buffer{}}
	o, err := queue.ParseURL(s.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	s.opts, s.rdb, s.client = o, s.server.Client(), queue.NewClient(o)
	s.mux = queue.NewMux(slog.New(slog.NewTextHandler(s.log, nil)))
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

// serve runs the servers until the test ends or the returned function is called.
func (s *stand) serve(cfg queue.ServersConfig) (stop func()) {
	s.t.Helper()
	cfg.Redis, cfg.Mux, cfg.Log = s.opts, s.mux, slog.New(slog.NewTextHandler(s.log, nil))
	cfg.Poll = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	servers := queue.NewServers(cfg)
	go func() {
		defer close(done)
		if err := servers.Run(ctx); err != nil {
			s.t.Errorf("run: %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	s.t.Cleanup(stop)
	return stop
}

func (s *stand) enqueue(tasks ...queue.Task) {
	s.t.Helper()
	if err := s.client.Enqueue(s.t.Context(), tasks...); err != nil {
		s.t.Fatalf("enqueue: %v", err)
	}
}

// raw puts a task into a queue that our own client would not make.
func (s *stand) raw(name string, payload []byte, q string) {
	s.t.Helper()
	c := asynq.NewClientFromRedisClient(s.rdb)
	if _, err := c.Enqueue(asynq.NewTask(name, payload), asynq.Queue(q)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stand) stats(name string) queue.Stats {
	s.t.Helper()
	all, err := s.client.Stats(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, q := range all {
		if q.Queue == name {
			return q
		}
	}
	s.t.Fatalf("no queue %s", name)
	return queue.Stats{}
}

// until polls for what other goroutines bring about.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited too long: %s", what)
		}
	}
}

func message() queue.SendMessage {
	return queue.SendMessage{
		Workspace: id.New[id.Workspace](), Run: id.New[id.Run](), Ordinal: 7,
		Contact: id.New[id.Contact](), Number: id.New[id.Number](), Feed: 1,
	}
}

// everyTask is one of each, and a reply.
func everyTask() []queue.Task {
	ws := id.New[id.Workspace]()
	reply := message()
	reply.Reply = true
	return []queue.Task{
		message(), reply,
		queue.ImportContacts{Workspace: ws, Import: id.New[id.Import](), Feed: 1},
		queue.CheckCampaign{Workspace: ws, Check: id.New[id.Check](), Feed: 1},
		queue.PlanRun{Workspace: ws, Run: id.New[id.Run](), Feed: 1},
		queue.ApplyEvents{Workspace: ws, Events: []id.Event{id.New[id.Event](), id.New[id.Event]()}, Feed: 1},
		queue.SyncWABA{Workspace: ws, WABA: id.New[id.WABA](), Feed: 1},
	}
}

// buffer is a log that may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  []byte
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b = append(b.b, p...)
	return len(p), nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.b)
}

var _ io.Writer = (*buffer)(nil)
