package worker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// The commit of a claim happens and the word of it is lost: that is no permission.
// Nothing is POSTed, and the row turns unknown at its deadline.
func TestCommitWithoutAnAnswerPermitsNothing(t *testing.T) {
	t.Parallel()
	s := newSending(t, 4, 1, 0)
	line := pgtest.NewLine(t, s.b.Pool)
	s.Pool = line.Pool
	line.CutAtCommit()
	if err := s.sendMessage(t.Context(), s.task(1)); err == nil || !line.WasCut() {
		t.Fatalf("the claim's commit was cut %v, the task says %v", line.WasCut(), err)
	}
	s.want(t, "after the cut", 0, map[string]int{"sending": 1})
	if err := s.sendMessage(t.Context(), s.task(1)); err != nil { // the queue tries again
		t.Error(err)
	}
	s.want(t, "after the second try", 0, map[string]int{"sending": 1})
	pgtest.MoveClock(t, s.b.Pool, messages.ClaimTime+time.Second)
	s.repair(t, messages.ExpireClaims)
	s.want(t, "at the deadline", 0, map[string]int{"unknown": 1})
}

// The connection breaks before an answer is recorded, or the commit happens and the
// word of it is lost: it is written again, and is what it was.
func TestAnswerIsRecordedOverABrokenConnection(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*pgtest.Line){"before": (*pgtest.Line).Cut, "at the commit": (*pgtest.Line).CutAtCommit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSending(t, 4, 1, 0)
			line := pgtest.NewLine(t, s.b.Pool)
			s.Pool = line.Pool
			s.edges = func(e edge) {
				if e == afterAnswer {
					cut(line)
				}
			}
			for try := 0; try < 200 && s.posts.Load() == 0; try++ { // a busy machine may miss the departure
				s.all(t, s.Worker, 1)
			}
			s.want(t, "after the cut", 1, map[string]int{"accepted": 1})
			if !line.WasCut() {
				t.Error("nothing was cut")
			}
		})
	}
}

// Every connection to PostgreSQL breaks again and again while messages leave, as
// in a restart: nobody is messaged twice, every answer is recorded in the end, and
// sending goes on without a restart of ours.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	const people = 120
	var meta echoing
	s := newSendingTo(t, 24, people, meta.answer)
	line := pgtest.NewLine(t, s.b.Pool)
	s.Pool = line.Pool
	var over atomic.Bool
	cuts := make(chan int)
	go func() {
		n := 0
		for ; !over.Load(); n++ {
			time.Sleep(10*time.Millisecond + rand.N(60*time.Millisecond)) // the nemesis' own pace
			line.Cut()
		}
		cuts <- n
	}()
	for range 3 {
		s.tryAll(t, people)
		s.b.Do(t, `update message set not_before = null where workspace_id = $1 and state = 'ready'`, s.b.Workspace)
	}
	over.Store(true)
	n := <-cuts
	line.Pool.App().Reset() // or the next to come would find the last broken ones
	s.drain(t, s.Worker, people)
	data := slices.Clone(meta.data)
	slices.Sort(data)
	if unique := slices.Compact(data); len(unique) != int(s.posts.Load()) {
		t.Errorf("%d POSTs of %d messages", s.posts.Load(), len(unique))
	}
	got := s.states(t)
	if got["accepted"] != len(data) || got["accepted"]+got["sending"] != people || n < 5 || len(data) < people/4 {
		t.Errorf("%d cuts, %d POSTs and %v", n, len(data), got)
	}
}

// tryAll is all for tasks that may fail and come again.
func (s *sending) tryAll(t *testing.T, n int) {
	t.Helper()
	done := make(chan struct{}, n)
	for o := range n {
		go func() {
			_ = s.sendMessage(t.Context(), s.task(o+1))
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
}

// Somebody holds a message's row: the claim gives up in its own short time, holds
// no slot meanwhile longer than that, and the message goes when the lock does.
func TestLockedRowHoldsNoSlot(t *testing.T) {
	t.Parallel()
	s := newSending(t, 4, 2, 0)
	owner := pgtest.Owner(t, s.b.Pool)
	tx, err := owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `select from message where run_id = $1 and ordinal = 1 for update`, s.run); err != nil {
		t.Fatal(err)
	}
	least := time.Hour
	for try := 0; try < 3 && least > 4*time.Second; try++ { // a busy machine only adds to it
		began := time.Now()
		if err := s.sendMessage(t.Context(), s.task(1)); err == nil {
			t.Error("a claim that got no lock is no error")
		}
		least = min(least, time.Since(began))
	}
	if least > 4*time.Second { // the session's own limit is 5 s
		t.Errorf("the claim waited %v", least)
	}
	s.idle(t)
	if err := tx.Rollback(t.Context()); err != nil && err != pgx.ErrTxClosed {
		t.Fatal(err)
	}
	s.drain(t, s.Worker, 2)
	s.want(t, "after the lock", 2, map[string]int{"accepted": 2})
}

// Every connection is taken: a claim waits its time and no longer, and nothing
// leaves.
func TestExhaustedPoolSendsNothing(t *testing.T) {
	t.Parallel()
	s := newSending(t, 4, 1, 0)
	line := pgtest.NewLine(t, s.b.Pool)
	s.Pool = line.Pool
	for range line.Pool.App().Config().MaxConns {
		conn, err := line.Pool.App().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
	began := time.Now()
	if err := s.sendMessage(t.Context(), s.task(1)); err == nil {
		t.Error("a claim without a connection is no error")
	}
	if took := time.Since(began); took > 30*time.Second { // a task's own time is 40 s
		t.Errorf("the claim waited %v", took)
	}
	s.want(t, "afterwards", 0, map[string]int{"ready": 1})
	s.idle(t)
}

// disk has PostgreSQL refuse every change of a message while it is full, as it
// does when its disk is (SQLSTATE 53100). The trigger stays: to add or to drop one
// locks out, and deadlocks with, what is being written.
func (s *sending) disk(t *testing.T) (full func(bool)) {
	t.Helper()
	owner := pgtest.Owner(t, s.b.Pool)
	do := func(sql string) {
		t.Helper()
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Error(err)
		}
	}
	do(`create table disk as select false as is_full`)
	do(`create function no_space() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ begin
		if (select is_full from disk) then raise exception 'No space left on device' using errcode = '53100'; end if;
		return new;
	end $$`)
	do(`create trigger no_space before update on message for each row execute function no_space()`)
	return func(is bool) { do(fmt.Sprintf(`update disk set is_full = %t`, is)) }
}

// The database's disk is full: no claim, so nothing leaves; an answer that is
// already there is written again and again until there is space; then sending goes
// on without a restart.
func TestFullDiskStopsSending(t *testing.T) {
	t.Parallel()
	s := newSending(t, 4, 2, 0)
	full := s.disk(t)
	full(true)
	for o := range 2 {
		if err := s.sendMessage(t.Context(), s.task(o+1)); err == nil {
			t.Error("a claim that could not be written is no error")
		}
	}
	s.want(t, "while it is full", 0, map[string]int{"ready": 2})
	full(false)

	answered, space := make(chan struct{}), make(chan struct{})
	s.edges = func(e edge) {
		if e == afterAnswer {
			full(true)
			close(answered)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for try := 0; try < 200 && s.posts.Load() == 0; try++ { // a busy machine may miss the departure
			if err := s.sendMessage(t.Context(), s.task(1)); err != nil {
				t.Error(err)
			}
		}
	}()
	<-answered
	time.AfterFunc(300*time.Millisecond, func() { close(space) })
	select {
	case <-done:
		t.Fatal("an answer that could not be written was let go")
	case <-space:
	}
	full(false)
	<-done
	s.edges = nil
	s.want(t, "after there is space", 1, map[string]int{"accepted": 1, "ready": 1})
	s.drain(t, s.Worker, 2)
	s.want(t, "at the end", 2, map[string]int{"accepted": 2})
}
