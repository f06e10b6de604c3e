package messages_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/messages"
	"bareed/messages/pacing"
	"bareed/whatsapp"
)

// hold claims a message and records that Meta holds it.
func (l *ledger) hold(ordinal int) {
	l.t.Helper()
	r := messages.Return(l.claim(ordinal)[ordinal])
	r.Outcome, r.State, r.WAMID = "accepted", messages.Held, wamid(ordinal)
	l.record(r)
}

// dropped is Meta's word that it dropped a message it had held.
func (l *ledger) dropped(ordinal, attempt int) whatsapp.Status {
	s := l.status(ordinal, attempt, "failed", time.Now())
	s.Errors = []whatsapp.StatusError{{Code: 132015}}
	return s
}

func (l *ledger) giveBackDropped() (n int64) {
	l.t.Helper()
	l.in(func(tx pgx.Tx) (err error) {
		if n, err = pacing.LockDropped(l.t.Context(), tx, l.ws, l.run); err != nil {
			return err
		}
		moved, err := pacing.Return(l.t.Context(), tx, l.ws, l.run)
		if moved != n {
			l.t.Errorf("%d locked, %d moved", n, moved)
		}
		return err
	})
	return n
}

func (l *ledger) counts() (c pacing.Counts) {
	l.t.Helper()
	l.in(func(tx pgx.Tx) (err error) {
		c, err = pacing.Count(l.t.Context(), tx, l.ws, l.run)
		return err
	})
	return c
}

func (l *ledger) count(sql string, args ...any) (n int) {
	l.t.Helper()
	if err := l.owner.QueryRow(l.t.Context(), sql, args...).Scan(&n); err != nil {
		l.t.Fatal(err)
	}
	return n
}

// What Meta held and dropped never fails: the template is stopped, a person has it
// sent anew, and what Meta repeats of the first request changes nothing.
func TestWhatMetaDroppedReturnsToReady(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 4)
	for i := range 3 {
		l.hold(i + 1)
	}
	if c := l.counts(); c != (pacing.Counts{Assessed: 3}) {
		t.Errorf("held: %+v", c)
	}
	l.apply(l.number, l.dropped(1, 1), l.dropped(2, 1))
	l.wantState(1, messages.Held, messages.DroppedByMeta)
	l.wantState(3, messages.Held, "")
	if c := l.counts(); c != (pacing.Counts{Assessed: 1, Dropped: 2}) || c.Waiting() != 1 {
		t.Errorf("after the drop: %+v", c)
	}
	if n := l.count(`select count(*) from stop where scope = 'template' and reason = 'template_paused' and cleared_at is null`); n != 1 {
		t.Errorf("%d stops on the template", n)
	}
	if n := l.count(`select count(*) from message where failed_at is not null`); n != 0 {
		t.Errorf("%d failed", n)
	}
	l.exec(`update stop set cleared_at = bareed_now(), cleared_by = 'usr_x'`)
	l.apply(l.number, l.dropped(1, 1)) // once more, as webhooks come
	if n := l.count(`select count(*) from stop where cleared_at is null`); n != 0 {
		t.Errorf("the repeat opened %d stops", n)
	}

	if n := l.giveBackDropped(); n != 2 {
		t.Fatalf("%d returned", n)
	}
	l.wantState(1, messages.Ready, "")
	l.apply(l.number, l.dropped(1, 1)) // and once more: of the request that is past
	l.wantState(1, messages.Ready, "")
	c := l.claim(1)[1]
	if c.Attempt != 2 {
		t.Fatalf("attempt %d", c.Attempt)
	}
	r := messages.Return(c)
	r.Outcome, r.State, r.WAMID = "accepted", messages.Accepted, wamid(1)+".NEW"
	l.record(r)
	fresh := l.status(1, 2, "delivered", time.Now())
	fresh.ID = whatsapp.WAMID(wamid(1) + ".NEW")
	if done := l.apply(l.number, l.dropped(1, 1), fresh); len(done.Twice) != 0 || done.Foreign != 0 {
		t.Errorf("the repeat beside news of the second: %+v", done)
	}
	l.wantState(1, messages.Delivered, "")
	for outcome, want := range map[string]int{"dropped_by_meta": 2, "returned_by_person": 2, messages.SecondAcceptance: 0} {
		if n := l.count(`select count(*) from message_attempt where outcome = $1`, outcome); n != want {
			t.Errorf("%d lines %s, want %d", n, outcome, want)
		}
	}
}

// A message can be held, dropped and sent anew more than once, and every repeat of
// what Meta said of an earlier request is known for what it is.
func TestDroppedTwice(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.hold(1)
	l.apply(l.number, l.dropped(1, 1))
	l.giveBackDropped()
	l.exec(`update stop set cleared_at = bareed_now(), cleared_by = 'usr_x'`)
	r := messages.Return(l.claim(1)[1])
	r.Outcome, r.State, r.WAMID = "accepted", messages.Held, wamid(1)+".NEW"
	l.record(r)
	l.apply(l.number, l.dropped(1, 1))
	l.wantState(1, messages.Held, "") // the second is not dropped yet
	again := l.dropped(1, 2)
	again.ID = whatsapp.WAMID(wamid(1) + ".NEW")
	l.apply(l.number, again)
	l.wantState(1, messages.Held, messages.DroppedByMeta)
	l.giveBackDropped()
	if done := l.apply(l.number, l.dropped(1, 1)); len(done.Twice) != 0 {
		t.Errorf("told as accepted twice: %v", done.Twice)
	}
	l.apply(l.number, again)
	l.wantState(1, messages.Ready, "")
}

// A message that arrives although Meta said it dropped it is told.
func TestDroppedAndDeliveredAfterAll(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 2)
	l.hold(1)
	l.hold(2)
	l.apply(l.number, l.dropped(1, 1), l.dropped(2, 1))
	l.giveBackDropped()
	l.exec(`update stop set cleared_at = bareed_now(), cleared_by = 'usr_x'`)

	// The first arrives before anything left anew: nothing more is sent.
	if done := l.apply(l.number, l.status(1, 1, "delivered", time.Now())); len(done.Twice) != 0 {
		t.Errorf("once is told as twice: %v", done.Twice)
	}
	l.wantState(1, messages.Delivered, "")
	if len(l.claim(1)) != 0 {
		t.Error("it is sent anew all the same")
	}

	// The second arrives when another was accepted: recorded and alarmed.
	r := messages.Return(l.claim(2)[2])
	r.Outcome, r.State, r.WAMID = "accepted", messages.Accepted, wamid(2)+".NEW"
	l.record(r)
	if done := l.apply(l.number, l.status(2, 1, "delivered", time.Now())); len(done.Twice) != 1 || done.Twice[0] != l.message(2) {
		t.Errorf("a second arrival is not told: %v", done.Twice)
	}
}

// Only what Meta held can be dropped: a message it had accepted has failed.
func TestPausedTemplateFailsWhatWasNotHeld(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 2)
	l.accept(1)
	l.apply(l.number, l.dropped(1, 1))
	l.wantState(1, messages.Failed, "meta_132015")

	r := messages.ResultOf(l.claim(2)[2], whatsapp.SendResult{Outcome: whatsapp.Accepted, WAMID: whatsapp.WAMID(wamid(2)), Status: whatsapp.StatusPaused})
	if r.State != messages.Held || r.Reason != messages.PausedByMeta {
		t.Fatalf("taken while the template is paused: %s (%s)", r.State, r.Reason)
	}
}

// Nothing beyond the boundary of the open wave is fed or claimed.
func TestTheBoundaryOfTheOpenWave(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 10)
	l.exec(`update run set wave_to = 4 where id = $1`, l.run)
	var b messages.Backlog
	var list []messages.Candidate
	var cursor int32
	l.in(func(tx pgx.Tx) (err error) {
		if b, _, err = messages.ReadBacklog(t.Context(), tx, l.ws, l.run); err != nil {
			return err
		}
		list, cursor, err = messages.Candidates(t.Context(), tx, l.ws, l.run, b, 100)
		return err
	})
	if b.Planned != 4 || len(list) != 4 || cursor != 4 {
		t.Errorf("%d of %d, cursor %d", len(list), b.Planned, cursor)
	}
	if got := l.claim(3, 4, 5, 6); len(got) != 2 {
		t.Errorf("claimed beyond the boundary: %d", len(got))
	}
	l.wantState(5, messages.Ready, "")
	l.exec(`update run set wave_to = null where id = $1`, l.run)
	if got := l.claim(5, 6); len(got) != 2 {
		t.Errorf("without a boundary: %d", len(got))
	}
}
