package messages_test

import (
	"testing"
	"time"

	"bareed/messages"
)

// A failed status that names no error: the message failed, and nothing stops.
func TestFailedWithoutAnError(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 2)
	l.accept(1)
	st := l.status(1, 1, "failed", time.Now())
	st.Errors = nil
	if done := l.apply(l.number, st); done.Matched != 1 {
		t.Fatalf("applied %+v", done)
	}
	l.wantState(1, messages.Failed, "meta_0")
	if len(l.claim(2)) != 1 {
		t.Error("it stopped the next message")
	}
}

// A webhook that Meta repeats after eight days, and one whose clock is a day off,
// change nothing that is already known.
func TestOldStatusesChangeNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.accept(1)
	now := time.Now()
	l.apply(l.number, l.status(1, 1, "sent", now), l.status(1, 1, "delivered", now), l.status(1, 1, "read", now))
	read := func() (row string) {
		t.Helper()
		if err := l.owner.QueryRow(t.Context(), `select concat_ws('|', state, sent_at, delivered_at, read_at, failed_at, wamid, resolved_by) from message`).Scan(&row); err != nil {
			t.Fatal(err)
		}
		return row
	}
	before := read()
	for _, off := range []time.Duration{-8 * 24 * time.Hour, -24 * time.Hour, 23 * time.Hour} {
		for _, kind := range []string{"sent", "delivered", "read"} {
			l.apply(l.number, l.status(1, 1, kind, now.Add(off)), l.status(1, 0, kind, now.Add(off)))
		}
	}
	if after := read(); after != before {
		t.Errorf("%s became %s", before, after)
	}
}
