package scheduler

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// locked holds rows that a query names until the test ends.
func locked(t *testing.T, f *feeding, sql string, args ...any) {
	t.Helper()
	owner := pgtest.Owner(t, f.b.Pool)
	tx, err := owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	tag, err := tx.Exec(t.Context(), sql, args...)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%d rows are held, %v", tag.RowsAffected(), err)
	}
}

// second launches another campaign to the same people; the older run comes first.
func (f *feeding) second(t *testing.T) (older, younger id.Run) {
	t.Helper()
	other := f.b.Launch(t, "Other").RunID
	if bytes.Compare(f.run[:], other[:]) > 0 {
		return other, f.run
	}
	return f.run, other
}

func (f *feeding) unknown(t *testing.T, run id.Run) (n int) {
	t.Helper()
	f.b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from message where workspace_id = $1 and run_id = $2 and state = 'unknown'`,
			f.b.Workspace, run).Scan(&n)
	})
	return n
}

// A run that takes all of the reconciler's time is not the first of the next
// time again: those behind it have their turn.
func TestReconcilerGoesOnBehindABadRun(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 4, 0)
	bad, good := f.second(t)
	f.send(t, "dead", []id.Message{{Run: good, Ordinal: 1}})
	pgtest.MoveClock(t, f.b.Pool, 2*time.Minute)
	locked(t, f, `select from run where id = $1 for update`, bad)
	for turn := 1; turn <= 2 || turn <= 6 && f.unknown(t, good) == 0; turn++ { // on a busy machine a turn may be over before it begins
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if err := f.reconcile(ctx); err == nil {
			t.Error("the bad run took none of the time")
		}
		cancel()
	}
	if n := f.unknown(t, good); n != 1 {
		t.Errorf("%d messages of the good run were looked after, want 1", n)
	}
}

func TestRoundGoesOnBehindTheLast(t *testing.T) {
	t.Parallel()
	var runs []openRun
	for range 4 {
		runs = append(runs, openRun{Run: id.New[id.Run]()})
	}
	slices.SortFunc(runs, func(a, b openRun) int { return bytes.Compare(a.Run[:], b.Run[:]) })
	for last, want := range [][]int{{1, 2, 3, 0}, {2, 3, 0, 1}, {3, 0, 1, 2}, {0, 1, 2, 3}} {
		r := round{begun: runs[last].Run}
		for i, got := range r.of(runs) {
			if got != runs[want[i]] {
				t.Errorf("behind %d, place %d is not run %d", last, i, want[i])
			}
		}
	}
	gone := round{begun: runs[1].Run} // it ended meanwhile
	if got := gone.of(slices.Delete(slices.Clone(runs), 1, 2)); got[0] != runs[2] || len(got) != 3 {
		t.Error("behind a run that ended the next is not first")
	}
	if got := (&round{}).of(runs); got[0] != runs[0] || len((&round{}).of(nil)) != 0 {
		t.Error("the first round does not begin with the first run")
	}
}

// After the queue was emptied, a run that cannot be offered again (here for a
// lock) costs the others that time once, and is itself fed a minute later.
func TestLostQueueFeedsBesideABadRun(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 40, 0)
	bad, good := f.second(t)
	out := f.ticks(t, 10)
	held := slices.IndexFunc(out, func(m id.Message) bool { return m.Run == bad })
	if held < 0 || !slices.ContainsFunc(out, func(m id.Message) bool { return m.Run == good }) {
		t.Fatalf("both runs should be fed: %v", out)
	}
	locked(t, f, `select from message where run_id = $1 and ordinal = $2 for update`, bad, out[held].Ordinal)
	f.feeder.epoch = "lost"
	again := f.ticks(t, 10)
	if !slices.ContainsFunc(again, func(m id.Message) bool { return m.Run == good && slices.Contains(out, m) }) {
		t.Error("nothing of the good run was offered again")
	}
	if f.feeder.epoch == "lost" {
		t.Error("the queue is still taken for lost")
	}
}

// The time of a job ends while everything is offered again: the next job goes on
// behind the runs that were.
func TestLostQueueIsRecoveredInSeveralJobs(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 4, 0)
	older, younger := f.second(t)
	f.ticks(t, 5)
	f.feeder.again = recovery{done: older, fine: true} // where the last job ended
	f.b.Do(t, `update message set feed_after = null where workspace_id = $1 and state = 'ready'`, f.b.Workspace)
	f.feeder.epoch = "lost"
	if err := f.watchQueue(t.Context()); err != nil {
		t.Fatal(err)
	}
	for run, want := range map[id.Run]bool{older: false, younger: true} {
		var again bool
		f.b.In(t, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) > 0 from message where workspace_id = $1 and run_id = $2 and feed_after is not null`,
				f.b.Workspace, run).Scan(&again)
		})
		if again != want {
			t.Errorf("the run that was done %v was offered again: %v", !want, again)
		}
	}
	if f.feeder.again != (recovery{}) {
		t.Error("the next recovery does not begin with the first run")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.refeedAll(ended); err == nil {
		t.Error("a recovery without time says that it is complete")
	}
}

// One run whose row somebody holds costs a tick of all numbers little.
func TestALockedRunCostsATickLittle(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 40, 0)
	bad, good := f.second(t)
	if err := f.watchQueue(t.Context()); err != nil {
		t.Fatal(err)
	}
	locked(t, f, `select from run where id = $1 for update`, bad)
	var out []id.Message
	least := time.Hour
	for try := 0; try < 3 && least > 3*time.Second; try++ { // a busy machine only adds to it
		began := time.Now()
		out = append(out, f.ticks(t, 1)...)
		least = min(least, time.Since(began))
	}
	if least > 3*time.Second { // the server's own limit is 5 s
		t.Errorf("a tick took %v", least)
	}
	if !slices.ContainsFunc(out, func(m id.Message) bool { return m.Run == good }) {
		t.Error("nothing of the good run was handed over")
	}
}

// Pictures of runs that are over are forgotten, those of the living are not.
func TestPicturesForgetRunsThatAreOver(t *testing.T) {
	t.Parallel()
	p, now := newPictures(), time.Now()
	over, live := id.New[id.Run](), id.New[id.Run]()
	draw := func(run id.Run, now time.Time) {
		if err := p.draw(now, run, false, func() error { return nil }); err != nil {
			t.Error(err)
		}
	}
	draw(over, now)
	draw(live, now.Add(time.Minute))
	p.trim(now.Add(time.Minute + 2*time.Second))
	if _, kept := p.next[live]; !kept || len(p.next) != 1 {
		t.Errorf("%d pictures are remembered, the living run's: %v", len(p.next), kept)
	}
}

// A run of replies has a window of its own: what a campaign of the same number
// has out, and the credit it used, leave it untouched.
func TestRepliesHaveAWindowOfTheirOwn(t *testing.T) {
	t.Parallel()
	f, now := newFeeder(), time.Now()
	bulk := feedRun{Run: id.New[id.Run](), Number: id.New[id.Number](), Kind: "campaign", PerSecond: 80}
	reply := bulk
	reply.Run, reply.Kind = id.New[id.Run](), "reply"
	w := f.flow(bulk, now)
	w.spend(w.room(now, 0, 0), now)
	if room := w.room(now, int(w.most)+1, 0); room > 0 {
		t.Fatalf("the campaign's window has room for %d", room)
	}
	if room := f.flow(reply, now).room(now, 0, 0); room < 1 {
		t.Errorf("the replies' window has room for %d", room)
	}
	if f.forget([]feedRun{reply}); len(f.flows) != 1 || f.flows[reply.lane()] == nil {
		t.Errorf("%d windows are remembered, want the replies'", len(f.flows))
	}
}
