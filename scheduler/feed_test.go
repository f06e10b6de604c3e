package scheduler

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/queue"
)

// feeding is a scheduler over one running run, on a clock that the test moves.
type feeding struct {
	*Scheduler
	b   *fixture.Broadcast
	run id.Run
	now time.Time
}

// newFeeding launches a campaign to n people under a portfolio limit (0: none).
func newFeeding(t *testing.T, n, limit int) *feeding {
	t.Helper()
	s, b := planner(t)
	f := &feeding{Scheduler: s, b: b, now: time.Now()}
	s.Clock = func() time.Time { return f.now }
	b.AddPeople(t, b.Audience, n-2) // the planner brought two
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = nullif($2, 0), reserve = 0 where id = $1`,
		b.Portfolio, limit); err != nil {
		t.Fatal(err)
	}
	f.run = b.Launch(t, "Feed").RunID
	return f
}

// ticks feeds n times and returns the messages handed over.
func (f *feeding) ticks(t *testing.T, n int) []id.Message {
	t.Helper()
	var out []id.Message
	for range n {
		f.now = f.now.Add(tick)
		if err := f.feed(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, task := range f.release.due(f.now.Add(time.Hour)) {
			send := task.(queue.SendMessage)
			out = append(out, id.Message{Run: send.Run, Ordinal: send.Ordinal})
		}
	}
	return out
}

// accept makes the messages leave the ledger's waiting rows, as sends do.
func (f *feeding) accept(t *testing.T, list []id.Message) {
	t.Helper()
	for _, m := range list {
		f.b.Do(t, `update message set state = 'accepted', attempt = 1, accepted_at = bareed_now() where workspace_id = $1 and run_id = $2 and ordinal = $3`,
			f.b.Workspace, m.Run, m.Ordinal)
	}
}

func (f *feeding) waiting(t *testing.T) (ready int) {
	t.Helper()
	f.b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from message where workspace_id = $1 and run_id = $2 and state = 'ready'`,
			f.b.Workspace, f.run).Scan(&ready)
	})
	return ready
}

func TestFeedGoesOnWhenPlacesAreFree(t *testing.T) {
	t.Parallel()
	const people, limit = 120, 10
	f := newFeeding(t, people, limit)
	var sent []id.Message
	for range 40 { // far more than it takes to look at everybody
		got := f.ticks(t, 1)
		f.accept(t, got)
		sent = append(sent, got...)
	}
	if len(sent) != limit {
		t.Fatalf("%d handed over under a limit of %d", len(sent), limit)
	}
	pgtest.MoveClock(t, f.b.Pool, 25*time.Hour)
	if err := f.places(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := f.ticks(t, 20)
	if len(got) != limit {
		t.Errorf("%d handed over after a day, want %d; %d wait", len(got), limit, f.waiting(t))
	}
}

func TestFeedGoesOnAfterEverythingCameBack(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 400, 0)
	var out []id.Message
	for range 40 { // nobody answers: the window fills
		out = append(out, f.ticks(t, 1)...)
	}
	if more := f.ticks(t, 1); len(out) == 0 || len(more) != 0 {
		t.Fatalf("%d out and %d more: the window never fills", len(out), len(more))
	}
	back := make([]messages.Returned, len(out))
	for i, m := range out { // the number rests: every task is given back
		back[i] = messages.Returned{Message: m, After: time.Minute}
	}
	f.b.In(t, func(tx pgx.Tx) error { return messages.GiveBack(t.Context(), tx, f.b.Workspace, back) })
	if more := f.ticks(t, 5); len(more) != 0 {
		t.Errorf("%d handed over while everything waits", len(more))
	}
	pgtest.MoveClock(t, f.b.Pool, 2*time.Minute)
	if more := f.ticks(t, 5); len(more) == 0 {
		t.Errorf("nothing handed over after the rest; %d wait", f.waiting(t))
	}
}

func TestFeedGoesOnAfterTheQueueIsLost(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 400, 0)
	f.ticks(t, 40)
	f.feeder.epoch = "lost"
	if more := f.ticks(t, 5); len(more) == 0 {
		t.Error("nothing handed over after the queue was emptied")
	}
}

// send makes the messages claimed by a process and not answered yet.
func (f *feeding) send(t *testing.T, by string, list []id.Message) {
	t.Helper()
	for _, m := range list {
		f.b.Do(t, `update message set state = 'sending', attempt = 1, claim_token = gen_random_uuid(), claimed_by = $4,
			claimed_at = bareed_now(), claim_deadline = bareed_now() + interval '45 seconds'
			where workspace_id = $1 and run_id = $2 and ordinal = $3`, f.b.Workspace, m.Run, m.Ordinal, by)
	}
}

func TestFeedGoesOnBesideADeadWorker(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 1200, 0)
	clock := clockOf(t, f.b)
	f.send(t, "dead", f.ticks(t, 1))
	for second := 1; second <= 12; second++ {
		n := 0
		for k := range 5 {
			clock.tick(t, second, k)
			// The other worker answers within a tick: what it has under way is young.
			f.b.Do(t, `update message set claimed_at = bareed_now() where workspace_id = $1 and claimed_by = 'alive' and state = 'sending'`, f.b.Workspace)
			got := f.ticks(t, 1)
			n += len(got)
			f.b.Do(t, `update message set state = 'accepted' where workspace_id = $1 and claimed_by = 'alive' and state = 'sending'`, f.b.Workspace)
			f.send(t, "alive", got)
		}
		if n < 30 {
			t.Errorf("%d handed over in second %d, want about 70", n, second)
		}
	}
}
