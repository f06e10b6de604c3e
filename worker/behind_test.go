package worker

import (
	"sync/atomic"
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/messages/behind"
	"bareed/messages/callback"
)

// A worker outlives PostgreSQL, and what takes its place lags behind: the worker
// knows it and sends nothing, though the tasks are there and nobody has opened a
// stop yet. When the database has come further, it goes on.
func TestNothingLeavesFromADatabaseThatForgot(t *testing.T) {
	t.Parallel()
	const people = 12
	s := newSending(t, 8, people, 0)
	mark, err := behind.Raise(t.Context(), s.Pool.Engine(), behind.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	var further atomic.Int64
	further.Store(1)
	s.Known = func() messages.Known {
		k := mark.Known()
		k.N += further.Load()
		return k
	}
	s.all(t, s.Worker, people)
	s.Wait(t.Context())
	s.want(t, "behind", 0, map[string]int{"ready": people})
	if _, err := behind.Raise(t.Context(), s.Pool.Engine(), behind.Mark{N: mark.N + further.Load()}); err != nil {
		t.Fatal(err)
	}
	s.drain(t, s.Worker, people)
	s.want(t, "further again", people, map[string]int{"accepted": people})
}

// What Meta accepted twice is told once for each message.
func TestTheAlarmOfASecondAcceptance(t *testing.T) {
	t.Parallel()
	h, lines := newLines(t, 1, 2)
	a, now := lines[0], time.Now()
	h.Do(t, `update message set claim_token = gen_random_uuid() where workspace_id = $1`, h.Workspace)
	again := a.say(1, "delivered", now)
	again["id"] = a.wamid(1) + ".again"
	again["biz_opaque_callback_data"] = callback.Data{Message: messageIn(a.run, 1), Attempt: 1}.Encode(h.Vault)
	for range 2 {
		if err := h.together(t, h.event(t, part(a.number.String(), nil, []map[string]any{a.say(1, "sent", now), again, a.say(2, "sent", now)}))); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.worker.AcceptedTwice(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func messageIn(run id.Run, ordinal int32) id.Message { return id.Message{Run: run, Ordinal: ordinal} }
