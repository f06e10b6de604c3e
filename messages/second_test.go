package messages_test

import (
	"slices"
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/whatsapp"
)

// Two message ids of Meta's for one message are an alarm, told once, however
// often either is heard of again.
func TestASecondAcceptanceIsToldOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 3)
	for i := range 3 {
		l.accept(i + 1)
	}
	second := func(ordinal int, kind string) whatsapp.Status {
		s := l.status(ordinal, 1, kind, time.Now())
		s.ID = whatsapp.WAMID(wamid(ordinal) + ".AGAIN")
		return s
	}
	if done := l.apply(l.number, l.status(1, 1, "sent", time.Now()), l.status(2, 1, "sent", time.Now())); len(done.Twice) != 0 {
		t.Fatalf("of one acceptance each: %v", done.Twice)
	}
	done := l.apply(l.number, second(2, "sent"), second(1, "delivered"), l.status(3, 1, "sent", time.Now()))
	slices.SortFunc(done.Twice, func(a, b id.Message) int { return int(a.Ordinal - b.Ordinal) })
	if !slices.Equal(done.Twice, []id.Message{l.message(1), l.message(2)}) {
		t.Errorf("accepted twice: %v", done.Twice)
	}
	if done := l.apply(l.number, second(1, "read"), second(2, "delivered"), l.status(1, 1, "read", time.Now())); len(done.Twice) != 0 {
		t.Errorf("told again: %v", done.Twice)
	}
	if done := l.apply(l.number, second(3, "sent"), l.status(3, 1, "delivered", time.Now())); len(done.Twice) != 1 {
		t.Errorf("both in one body: %v", done.Twice)
	}
	var n int
	if err := l.owner.QueryRow(t.Context(), `select count(*) from message_attempt where outcome = $1`, messages.SecondAcceptance).Scan(&n); err != nil || n != 3 {
		t.Errorf("%d lines, %v", n, err)
	}
}
