package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/internal/redistest"
	"bareed/messages"
	"bareed/queue"
)

// onRedis is a feeding whose tasks go into a Redis that the test may look into.
func onRedis(t *testing.T, people int) (*feeding, *redistest.Server, *asynq.Inspector) {
	t.Helper()
	f := newFeeding(t, people, 0)
	server := redistest.Start(t)
	o, err := queue.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	f.Queue = queue.NewClient(o)
	t.Cleanup(func() { _ = f.Queue.Close() })
	return f, server, asynq.NewInspectorFromRedisClient(server.Client())
}

// hand ticks once and puts what is due into the queue.
func (f *feeding) hand(t *testing.T) {
	t.Helper()
	f.now = f.now.Add(tick)
	if err := f.feed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tasks := f.release.due(f.now.Add(time.Hour)); len(tasks) > 0 {
		if err := f.Queue.Enqueue(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
	}
}

// pass moves the time by minutes, a reconciliation and some ticks after each.
func (f *feeding) pass(t *testing.T, minutes int) (handed []id.Message) {
	t.Helper()
	for m := range minutes {
		pgtest.MoveClock(t, f.b.Pool, time.Duration(m+1)*61*time.Second)
		f.now = f.now.Add(time.Minute)
		if err := f.reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		handed = append(handed, f.ticks(t, 10)...)
	}
	return handed
}

// A scheduler that dies between moving its cursor and handing over, and a Redis
// that lost its last second without knowing: what is ready and was never claimed is
// offered again within two minutes, what was accepted is not.
func TestLostTasksAreOfferedAgain(t *testing.T) {
	t.Parallel()
	const people = 40
	f := newFeeding(t, people, 0)
	var out []id.Message
	for len(out) < people {
		n := f.ticks(t, 1) // the tasks are dropped: this is the death
		if out = append(out, n...); len(n) == 0 {
			break
		}
		f.accept(t, n[:len(n)/2])
	}
	lost := f.waiting(t)
	if len(out) != people || lost < people/3 {
		t.Fatalf("%d handed over, %d lost", len(out), lost)
	}
	epoch := f.feeder.epoch
	next := New(f.Config) // the one that follows begins with nothing but the rows
	next.Clock, next.feeder.epoch = func() time.Time { return f.now }, epoch
	f.Scheduler = next
	again := f.pass(t, 2)
	for _, m := range again {
		f.accept(t, []id.Message{m})
	}
	slices.SortFunc(again, func(a, b id.Message) int { return int(a.Ordinal - b.Ordinal) })
	if again = slices.Compact(again); len(again) != lost || f.waiting(t) != 0 {
		t.Errorf("%d of %d lost ones were offered again, %d wait", len(again), lost, f.waiting(t))
	}
}

// Every button of the queue's page, pressed on everything: archived, deleted and
// cancelled tasks come again under new names, the ledger is as it was.
func TestButtonsOfTheQueueLoseNothing(t *testing.T) {
	t.Parallel()
	const people = 24
	f, _, buttons := onRedis(t, people)
	for f.feeder.flows[lane{number: f.b.Number}] == nil || f.backlog(t).Fed < people {
		f.hand(t)
	}
	pending, err := buttons.ListPendingTasks(queue.Send, asynq.PageSize(100))
	if err != nil || len(pending) != people {
		t.Fatalf("%d wait, %v", len(pending), err)
	}
	for i, p := range pending {
		switch i % 3 {
		case 0:
			err = buttons.ArchiveTask(queue.Send, p.ID)
		case 1:
			err = buttons.DeleteTask(queue.Send, p.ID)
		case 2:
			err = buttons.CancelProcessing(p.ID) // nobody has it: nothing happens
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := f.waiting(t); n != people {
		t.Fatalf("%d are ready after the buttons", n)
	}
	seen := map[string]bool{}
	for m := range 2 {
		pgtest.MoveClock(t, f.b.Pool, time.Duration(m+1)*61*time.Second)
		f.now = f.now.Add(time.Minute)
		if err := f.reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			f.hand(t)
		}
	}
	pending, err = buttons.ListPendingTasks(queue.Send, asynq.PageSize(200))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pending {
		seen[fmt.Sprint(ordinal(t, p.Payload))] = true
	}
	if len(seen) != people {
		t.Errorf("%d of %d messages have a task again", len(seen), people)
	}
}

// ordinal reads a task's payload as the worker would.
func ordinal(t *testing.T, payload []byte) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(string(payload[slices.Index(payload, 'o'):]), `o":%d`, &n); err != nil {
		t.Fatalf("read %s: %v", payload, err)
	}
	return n
}

func (f *feeding) backlog(t *testing.T) (b messages.Backlog) {
	t.Helper()
	f.b.In(t, func(tx pgx.Tx) (err error) {
		b, _, err = messages.ReadBacklog(t.Context(), tx, f.b.Workspace, f.run)
		return err
	})
	return b
}

// An older copy of Redis comes back, with tasks that are long done: its mark is
// not the last one set, so everything is offered anew.
func TestOldCopyOfRedisIsNoticed(t *testing.T) {
	t.Parallel()
	f, server, _ := onRedis(t, 30)
	old, err := f.Queue.SetEpoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := f.ticks(t, 6)
	f.accept(t, out[:2])
	if more := f.ticks(t, 3); len(out) < 10 || f.feeder.epoch == old {
		t.Fatalf("%d out, %d more", len(out), len(more))
	}
	if err := server.Client().Set(t.Context(), "bareed:epoch", old, 0).Err(); err != nil {
		t.Fatal(err)
	}
	again := f.ticks(t, 8)
	if !slices.Contains(again, out[2]) || slices.Contains(again, out[0]) {
		t.Errorf("offered again: %v, of %v", again, out)
	}
}

// After a flush the queue's page lists its queues again with the next tick, and
// everything that waited is handed over again.
func TestFlushIsMendedWithTheNextTick(t *testing.T) {
	t.Parallel()
	const people = 20
	f, server, buttons := onRedis(t, people)
	for range 10 {
		f.hand(t)
	}
	server.FlushAll()
	if names, err := buttons.Queues(); err != nil || len(names) != 0 {
		t.Fatalf("queues %v, %v", names, err)
	}
	f.hand(t)
	if names, err := buttons.Queues(); err != nil || len(names) != 5 {
		t.Errorf("queues after one tick: %v, %v", names, err)
	}
	for range 10 {
		f.hand(t)
	}
	if pending, err := buttons.ListPendingTasks(queue.Send, asynq.PageSize(100)); err != nil || len(pending) != people {
		t.Errorf("%d of %d wait again, %v", len(pending), people, err)
	}
}

// Redis takes no more: the feeder hands over no further than a window, and what
// it could not hand over comes when there is room.
func TestFullRedisOnlyDelays(t *testing.T) {
	t.Parallel()
	const people = 400
	f, server, _ := onRedis(t, people)
	f.ticks(t, 0)
	set := func(memory string) {
		t.Helper()
		if err := server.Client().ConfigSet(t.Context(), "maxmemory", memory).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.feed(t.Context()); err != nil { // the mark is set
		t.Fatal(err)
	}
	set("1")
	for range 40 {
		f.now = f.now.Add(tick)
		_ = f.feed(t.Context()) // may fail
		if tasks := f.release.due(f.now.Add(time.Hour)); len(tasks) > 0 {
			if err := f.Queue.Enqueue(t.Context(), tasks...); err == nil {
				t.Fatal("a full Redis took a task")
			}
		}
	}
	if b := f.backlog(t); b.Fed > people/2 || b.Fed == 0 {
		t.Errorf("%d of %d were handed over to nobody", b.Fed, people)
	}
	set("0")
	if again := f.pass(t, 2); len(again) == 0 || !slices.ContainsFunc(again, func(m id.Message) bool { return m.Ordinal == 1 }) {
		t.Errorf("%d offered again, the first not among them", len(again))
	}
}

// Two schedulers that both believe they lead: everything is handed over, and of
// all twins one is granted its claim.
func TestTwoLeadersDoNoHarm(t *testing.T) {
	t.Parallel()
	const people = 60
	f := newFeeding(t, people, 0)
	twin := &feeding{Scheduler: New(f.Config), b: f.b, run: f.run, now: f.now}
	twin.Clock = func() time.Time { return twin.now }
	var mu sync.Mutex
	granted, handed := map[int32]int{}, map[int32]int{}
	var wg sync.WaitGroup
	for _, one := range []*feeding{f, twin} {
		wg.Go(func() {
			for range 25 {
				for _, m := range one.ticks(t, 1) {
					got, err := messages.ClaimAll(t.Context(), f.b.Pool, f.b.Workspace, "test", []messages.Want{{Message: m, Token: uuid.New()}})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					handed[m.Ordinal]++
					granted[m.Ordinal] += len(got)
					mu.Unlock()
					if len(got) == 1 {
						f.b.In(t, func(tx pgx.Tx) error {
							r := messages.Return(got[0])
							r.Outcome, r.State = "accepted", messages.Accepted
							return messages.Record(t.Context(), tx, f.b.Workspace, []messages.Result{r})
						})
					}
				}
				if err := one.plan(t.Context()); err != nil {
					t.Error(err)
				}
				if err := one.reconcile(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for o := range int32(people) {
		if granted[o+1] != 1 {
			t.Errorf("message %d was granted %d times, handed over %d times", o+1, granted[o+1], handed[o+1])
		}
	}
}

// The leader's session ends at the server while the process lives on: it steps
// down within five seconds, and the next one leads. A busy machine only adds to
// it, so that one of a few tries decides.
func TestLeaderWithoutASessionStepsDown(t *testing.T) {
	t.Parallel()
	const tries = 3
	for try := 1; ; try++ {
		stepped, followed := withoutSession(t)
		if stepped <= 5*time.Second && followed <= 5*time.Second {
			return
		}
		if try == tries {
			t.Fatalf("it leads for %v without its lock, and nobody else led for %v", stepped, followed)
		}
	}
}

// withoutSession ends a leader's session and tells how long it took it to step
// down, and the next one to lead.
func withoutSession(t *testing.T) (stepped, followed time.Duration) {
	t.Helper()
	pool := pgtest.New(t)
	log := slog.New(slog.DiscardHandler)
	one := New(Config{Pool: pool, Log: log})
	ended := make(chan struct{})
	leads := make(chan struct{})
	go func() {
		defer close(ended)
		_ = one.lead(t.Context(), func(held context.Context) {
			close(leads)
			<-held.Done()
		})
	}()
	<-leads
	owner := pgtest.Owner(t, pool)
	if _, err := owner.Exec(t.Context(), `reset role`); err != nil {
		t.Fatal(err)
	}
	var killed bool
	err := owner.QueryRow(t.Context(), `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = $1::bigint::oid
		and database = (select oid from pg_database where datname = current_database())`, int64(leaderLock)).Scan(&killed)
	if err != nil || !killed {
		t.Fatalf("the session was ended %v, %v", killed, err)
	}
	began := time.Now()
	stop, next, over := led(t, New(Config{Pool: pool, Log: log}))
	select {
	case <-ended:
		stepped = time.Since(began)
	case <-time.After(time.Minute):
		t.Fatal("it leads for more than a minute without its lock")
	}
	if leading, _ := one.Leading(); leading {
		t.Error("it says that it leads")
	}
	<-next
	followed = time.Since(began)
	stop()
	<-over
	return stepped, followed
}
