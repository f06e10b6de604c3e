package queue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"bareed/internal/id"
	"bareed/queue"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ url, network, addr string }{
		{"unix:///run/redis.sock?db=3", "unix", "/run/redis.sock"},
		{"redis://user:secret@localhost:6380/3", "tcp", "localhost:6380"},
		{"rediss://host/3", "tcp", "host:6379"},
	} {
		o, err := queue.ParseURL(tc.url)
		if err != nil {
			t.Errorf("%s: %v", tc.url, err)
			continue
		}
		if o.Network != tc.network || o.Addr != tc.addr || o.DB != 3 || !o.ContextTimeoutEnabled || o.ReadTimeout != 2*time.Second {
			t.Errorf("%s: %s %s db %d", tc.url, o.Network, o.Addr, o.DB)
		}
		if tls := strings.HasPrefix(tc.url, "rediss"); tls != (o.TLSConfig != nil) {
			t.Errorf("%s: TLS %v", tc.url, o.TLSConfig != nil)
		}
	}
	for _, bad := range []string{"", "localhost:6379", "http://:secret@x", "redis://:secret@x/notanumber", "redis://:secret@x:port\x7f", "unix://"} {
		_, err := queue.ParseURL(bad)
		if !errors.Is(err, queue.ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestEnqueueTwins(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	m := message()
	s.enqueue(m, m, m)
	s.enqueue(m)
	if got := s.stats(queue.Send).Pending; got != 1 {
		t.Fatalf("%d tasks for one feed, want 1", got)
	}
	// Somebody archives the task: its identifier is taken for 90 days.
	i := asynq.NewInspectorFromRedisClient(s.rdb)
	if err := i.ArchiveTask(queue.Send, m.ID()); err != nil {
		t.Fatal(err)
	}
	if got := s.stats(queue.Send).Archived; got != 1 {
		t.Errorf("%d archived, want 1", got)
	}
	s.enqueue(m)
	m.Feed++
	s.enqueue(m)
	if got := s.stats(queue.Send).Pending; got != 1 {
		t.Errorf("%d pending after feeding again, want 1", got)
	}
}

func TestEnqueueManyAndErrors(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	tasks := make([]queue.Task, 700)
	for i := range tasks {
		tasks[i] = message()
	}
	s.enqueue(tasks...)
	if got := s.stats(queue.Send); got.Pending != 700 || got.Size != 700 {
		t.Errorf("%+v, want 700 pending", got)
	}
	s.enqueue()
	if err := s.client.Enqueue(t.Context(), message(), queue.SendMessage{}, message()); err == nil {
		t.Error("a task without identifiers was taken")
	}
	s.server.Stop()
	if err := s.client.Enqueue(t.Context(), tasks...); err == nil {
		t.Error("enqueued without Redis")
	}
	s.server.Restart()
	until(t, "enqueue after Redis came back", func() bool { return s.client.Enqueue(t.Context(), tasks[0]) == nil })
}

func TestResetAfterFlush(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.enqueue(everyTask()...)
	if e, err := s.client.Epoch(t.Context()); e != "" || err != nil {
		t.Fatalf("epoch of a new Redis = %q, %v", e, err)
	}
	set, err := s.client.SetEpoch(t.Context())
	if err != nil || set == "" {
		t.Fatal(err)
	}
	if e, err := s.client.Epoch(t.Context()); e != set || err != nil {
		t.Fatalf("epoch = %q, %v, want %q", e, err, set)
	}
	s.server.FlushAll()
	if e, err := s.client.Epoch(t.Context()); e != "" || err != nil {
		t.Fatalf("epoch after the loss = %q, %v", e, err)
	}
	i := asynq.NewInspectorFromRedisClient(s.rdb)
	s.enqueue(message())
	if names, err := i.Queues(); err != nil || len(names) != 0 {
		t.Fatalf("queues = %v, %v: asynq now announces them by itself, Reset can go", names, err)
	}
	if err := s.client.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	names, err := i.Queues()
	slices.Sort(names)
	want := []string{queue.Events, queue.Import, queue.Send, queue.SendReply, queue.Sync}
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("queues = %v, %v, want %v", names, err, want)
	}
	if got := s.stats(queue.Send).Pending; got != 1 {
		t.Errorf("%d pending in send, want 1", got)
	}
	if again, _ := s.client.SetEpoch(t.Context()); again == set {
		t.Error("the mark is the old one: an old copy of Redis could not be told")
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	all, err := s.client.Stats(t.Context())
	if err != nil || len(all) != 5 {
		t.Fatalf("stats of an empty Redis = %v, %v", all, err)
	}
	s.enqueue(message(), message(), queue.SyncWABA{Workspace: id.New[id.Workspace](), WABA: id.New[id.WABA]()})
	until(t, "latency to be measured", func() bool { return s.stats(queue.Send).Latency > 0 })
	if q := s.stats(queue.Send); q.Pending != 2 || q.Memory == 0 || q.Paused || q.Archived != 0 {
		t.Errorf("send = %+v", q)
	}
	if q := s.stats(queue.Sync); q.Pending != 1 {
		t.Errorf("sync = %+v", q)
	}
	if err := asynq.NewInspectorFromRedisClient(s.rdb).PauseQueue(queue.Send); err != nil {
		t.Fatal(err)
	}
	if !s.stats(queue.Send).Paused {
		t.Error("a paused queue is not shown")
	}
}

func TestCheckRedis(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	warnings, err := queue.CheckRedis(t.Context(), s.rdb)
	if err != nil || len(warnings) != 1 {
		t.Errorf("private server: %v, %v, want the warning about its file", warnings, err)
	}
	set := func(k, v string) {
		t.Helper()
		if err := s.rdb.ConfigSet(t.Context(), k, v).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("maxmemory-policy", "allkeys-lru")
	if _, err := queue.CheckRedis(t.Context(), s.rdb); !errors.Is(err, queue.ErrEviction) {
		t.Errorf("allkeys-lru: %v", err)
	}
	user := func(name string, rules ...string) *redis.Client {
		t.Helper()
		if err := s.rdb.ACLSetUser(t.Context(), name, append([]string{"on", ">pw", "+@all"}, rules...)...).Err(); err != nil {
			t.Fatal(err)
		}
		o := *s.opts
		o.Username, o.Password = name, "pw"
		c := redis.NewClient(&o)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	if _, err := queue.CheckRedis(t.Context(), user("managed", "-config")); !errors.Is(err, queue.ErrEviction) {
		t.Errorf("without CONFIG: %v", err)
	}
	warnings, err = queue.CheckRedis(t.Context(), user("silent", "-config", "-info"))
	if err != nil || len(warnings) != 1 {
		t.Errorf("without CONFIG and INFO: %v, %v", warnings, err)
	}
	s.server.Stop()
	if _, err := queue.CheckRedis(t.Context(), s.rdb); err == nil {
		t.Error("no Redis is fine")
	}
}

// BenchmarkEnqueue hands over 500 tasks a call, as the feeder does.
func BenchmarkEnqueue(b *testing.B) {
	s := newStand(b)
	tasks := make([]queue.Task, 500)
	m := message()
	b.ResetTimer()
	for b.Loop() {
		for i := range tasks {
			m.Ordinal++
			tasks[i] = m
		}
		if err := s.client.Enqueue(b.Context(), tasks...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(tasks))/b.Elapsed().Seconds(), "tasks/s")
}
