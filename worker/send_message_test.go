package worker

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"bareed/internal/clock"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/internal/redistest"
	"bareed/limits"
	"bareed/messages"
	"bareed/numbers"
	"bareed/queue"
	"bareed/whatsapp"
)

// sending is a worker that POSTs a run to a Meta which accepts everything after a
// while, or answers as it is told.
type sending struct {
	*Worker
	b     *fixture.Broadcast
	run   id.Run
	posts atomic.Int32
	ahead *atomic.Int64 // of the limiter's clock, ns
	redis *redistest.Server
}

func newSending(t *testing.T, slots, people int, latency time.Duration) *sending {
	t.Helper()
	var n atomic.Int32
	return newSendingTo(t, slots, people, func(out http.ResponseWriter, _ *http.Request) {
		time.Sleep(latency) // Meta's own
		fmt.Fprintf(out, `{"messages":[{"id":"wamid.%d"}]}`, n.Add(1))
	})
}

func newSendingTo(t *testing.T, slots, people int, answer http.HandlerFunc) *sending {
	t.Helper()
	s := &sending{b: fixture.NewBroadcast(t, pgtest.New(t)), ahead: &atomic.Int64{}}
	b := s.b
	meta := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		s.posts.Add(1)
		answer(out, in)
	}))
	t.Cleanup(meta.Close)
	client, err := whatsapp.New(whatsapp.Config{BaseURL: meta.URL, SendTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.redis = redistest.Start(t)
	o := s.redis.Options()
	o.ContextTimeoutEnabled, o.ReadTimeout = true, time.Minute // so that the limiter's own time bounds a question
	rdb := redis.NewClient(o)
	t.Cleanup(func() { _ = rdb.Close() })
	limiter := limits.New(rdb, limits.Config{MinAhead: 5 * time.Millisecond, Offset: func() time.Duration { return time.Duration(s.ahead.Load()) }})
	// A number's first departure is a second away; that second is over.
	if _, err := limits.New(rdb, limits.Config{Timeout: time.Minute}).Take(t.Context(), limits.Ask{Number: b.Number, PerSecond: 1000}); err != nil {
		t.Fatal(err)
	}
	s.ahead.Store(int64(2 * time.Second))
	s.Worker = New(Config{Pool: b.Pool, Vault: b.Vault, Meta: client, Limits: limiter, Clock: clock.System,
		Log: slog.New(slog.DiscardHandler), Name: "test", Slots: slots})
	s.know(t, s.Worker)
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	b.AddPeople(t, b.Audience, people)
	s.run = b.Launch(t, "Sent").RunID
	return s
}

// know has a worker know the number, whose token no vault holds.
func (s *sending) know(t *testing.T, w *Worker) {
	t.Helper()
	box, err := s.b.Vault.Box(t.Context(), s.b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	w.senders.of[s.b.Number] = sender{number: numbers.Number{ID: s.b.Number, PhoneNumberID: "1"}, token: "token", box: box,
		perSecond: 1000, read: time.Now().Add(time.Hour)}
}

// twin is another process's worker, on the same database and limits.
func (s *sending) twin(t *testing.T, name string) *Worker {
	t.Helper()
	cfg := s.Config
	cfg.Name = name
	w := New(cfg)
	s.know(t, w)
	return w
}

// all lets a worker perform the tasks of the first n messages at once, each in a
// goroutine of its own that may be ended in the middle.
func (s *sending) all(t *testing.T, w *Worker, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for o := range n {
		wg.Go(func() {
			if err := w.sendMessage(t.Context(), s.task(o+1)); err != nil {
				t.Errorf("message %d: %v", o+1, err)
			}
		})
	}
	wg.Wait()
}

// drain performs the first n messages again and again until none of the run is
// ready: one that missed its departure on a busy machine comes back.
func (s *sending) drain(t *testing.T, w *Worker, n int) {
	t.Helper()
	for range 100 {
		s.all(t, w, n)
		if s.states(t)["ready"] == 0 {
			return
		}
		s.b.Do(t, `update message set not_before = null where workspace_id = $1 and state = 'ready'`, s.b.Workspace)
	}
}

// states counts the run's messages by their state.
func (s *sending) states(t *testing.T) map[string]int {
	t.Helper()
	s.Wait(t.Context())
	out := map[string]int{}
	s.b.In(t, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `select state, count(*) from message where workspace_id = $1 and run_id = $2 group by 1`, s.b.Workspace, s.run)
		if err != nil {
			return err
		}
		var state string
		var n int
		_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { out[state] = n; return nil })
		return err
	})
	return out
}

func (s *sending) want(t *testing.T, when string, posts int, want map[string]int) {
	t.Helper()
	if got := s.states(t); !maps.Equal(got, want) || int(s.posts.Load()) != posts {
		t.Errorf("%s: %d POSTs and %v, want %d and %v", when, s.posts.Load(), got, posts, want)
	}
}

func (s *sending) task(ordinal int) queue.SendMessage {
	return queue.SendMessage{Workspace: s.b.Workspace, Run: s.run, Ordinal: int32(ordinal), Number: s.b.Number, Contact: id.New[id.Contact]()}
}

// idle fails the test when anything is still held by tasks that have ended.
func (s *sending) idle(t *testing.T) {
	t.Helper()
	s.Wait(t.Context())
	if s.slots.all != 0 || len(s.slots.of) != 0 || !s.askers.empty() || !s.claimers.empty() {
		t.Errorf("still held: %d slots, askers %v, claimers %v", s.slots.all, s.askers.of, s.claimers.of)
	}
}

// While more tasks come than there are slots, a stop commits: at most one POST
// of each slot leaves after it, and nothing is held by what came back.
func TestStopBoundsWhatStillLeaves(t *testing.T) {
	t.Parallel()
	const slots, people = 16, 600
	s := newSending(t, slots, people, 20*time.Millisecond)
	var tasks atomic.Int32
	var over atomic.Bool
	var wg sync.WaitGroup
	for range 2 * slots {
		wg.Go(func() {
			for !over.Load() { // round and round: what came back is handed over again
				o := 1 + int(tasks.Add(1))%people
				if err := s.sendMessage(t.Context(), s.task(o)); err != nil {
					t.Errorf("message %d: %v", o, err)
				}
			}
		})
	}
	reach := func(n *atomic.Int32, want int32) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); n.Load() < want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				over.Store(true)
				t.Fatalf("%d of %d in two minutes", n.Load(), want)
			}
		}
	}
	reach(&s.posts, 30)
	s.b.In(t, func(tx pgx.Tx) error {
		_, err := messages.OpenStop(t.Context(), tx, s.b.Workspace, messages.Opening{
			Scope: messages.ScopeNumber, ScopeID: s.b.Number, Reason: "quality_red", ByRule: true, By: "system:test"})
		return err
	})
	stopped := s.posts.Load()
	reach(&tasks, tasks.Load()+8*slots)
	over.Store(true)
	wg.Wait()
	s.idle(t)
	if after := s.posts.Load() - stopped; after > slots {
		t.Errorf("%d POSTs left after the stop, at most %d may", after, slots)
	}
	accepted := counted(t, s.b, `select count(*) from message where workspace_id = $1 and state = 'accepted'`, s.b.Workspace)
	ready := counted(t, s.b, `select count(*) from message where workspace_id = $1 and state = 'ready'`, s.b.Workspace)
	if accepted != int(s.posts.Load()) || accepted+ready != people || ready == 0 {
		t.Errorf("%d POSTs, %d accepted, %d ready of %d", s.posts.Load(), accepted, ready, people)
	}
}

// A reply leaves at once while the campaign of its number fills its share of
// the slots, of the turns and of the limiter's patience.
func TestReplyLeavesBesideACampaign(t *testing.T) {
	t.Parallel()
	s := newSending(t, 8, 2, 0)
	bulk := lane{number: s.b.Number}
	held := s.slots.fill(bulk)
	s.slots.rest(bulk, time.Hour)
	for range claimers(1000) {
		s.claimers.take(t.Context(), bulk, claimers(1000), 0)
	}
	for range askers {
		s.askers.take(t.Context(), bulk, askers, 0)
	}
	reply := s.task(1)
	reply.Reply = true
	for try := 0; try < 200 && s.posts.Load() == 0; try++ { // a busy machine may miss the departure
		if err := s.sendMessage(t.Context(), reply); err != nil {
			t.Error(err)
		}
	}
	if s.posts.Load() != 1 {
		t.Error("the reply did not leave")
	}
	if err := s.sendMessage(t.Context(), s.task(2)); err != nil || s.posts.Load() != 1 {
		t.Errorf("a campaign's message left while its lane rests: %v", err)
	}
	if n := counted(t, s.b, `select count(*) from message where workspace_id = $1 and state = 'ready' and feed_after is not null`, s.b.Workspace); n != 1 {
		t.Error("the campaign's message is not offered again")
	}
	if held == 0 {
		t.Error("the campaign held no slots")
	}
}

// What cannot be rendered, or belongs to another number, leaves no turn behind.
func TestNothingIsHeldByWhatDoesNotLeave(t *testing.T) {
	t.Parallel()
	s := newSending(t, 8, 4, 0)
	s.b.Do(t, `update message set parameters = '\x00' where workspace_id = $1 and ordinal = 1`, s.b.Workspace)
	other := s.task(2)
	other.Number = id.New[id.Number]()
	s.senders.of[other.Number] = s.senders.of[s.b.Number]
	// A number's first departure is a second away: without this the limiter would keep it back.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if g, err := s.Limits.Take(t.Context(), limits.Ask{Number: other.Number, PerSecond: 1000}); err != nil || time.Now().After(deadline) {
			t.Fatalf("the other number never departs: %v", err)
		} else if g.OK {
			break
		}
	}
	gone := s.task(3)
	if _, err := s.claimAll(t.Context(), s.b.Workspace, []messages.Want{{Message: id.Message{Run: s.run, Ordinal: 3}, Token: uuid.New()}}); err != nil {
		t.Fatal(err)
	}
	for _, task := range []queue.SendMessage{s.task(1), other, gone} {
		if err := s.sendMessage(t.Context(), task); err != nil {
			t.Error(err)
		}
	}
	s.idle(t)
	if s.posts.Load() != 0 {
		t.Errorf("%d messages left", s.posts.Load())
	}
	for ordinal, want := range []string{"failed", "ready", "sending"} {
		if n := counted(t, s.b, `select count(*) from message where workspace_id = $1 and ordinal = $2 and state = $3`, s.b.Workspace, ordinal+1, want); n != 1 {
			t.Errorf("message %d is not %s", ordinal+1, want)
		}
	}
}

// A departure that comes when the claim is already old is not taken: the time
// between the booking and the POST counts too.
func TestNothingLeavesOnAnOldClaim(t *testing.T) {
	t.Parallel()
	s := newSending(t, 8, 1, 0)
	ask := limits.Ask{Number: s.b.Number, Contact: id.New[id.Contact](), PerSecond: 1000}
	began := time.Now().Add(10*time.Millisecond - lastLook)
	grant, again := s.depart(t.Context(), ask, began, func() { time.Sleep(15 * time.Millisecond) }) // the machine was busy
	if grant.OK || again <= 0 {
		t.Errorf("it leaves %v after its claim (again %v)", time.Since(began), again)
	}
}
