package worker

import (
	"testing"

	"bareed/internal/id"
)

// A number that is gone, or whose token does not open, ends the task: no error
// has it tried again for ever. The latter stops the number, and its message is
// offered again once a person has seen to it.
func TestMessageWithoutASender(t *testing.T) {
	t.Parallel()
	s := newSending(t, 4, 2, 0)
	gone := s.task(1)
	gone.Number = id.New[id.Number]()
	if err := s.sendMessage(t.Context(), gone); err != nil {
		t.Errorf("a number that is gone: %v", err)
	}
	if n := counted(t, s.b, `select count(*) from stop where workspace_id = $1`, s.b.Workspace); n != 0 {
		t.Errorf("a number that is gone opens %d stops", n)
	}
	delete(s.senders.of, s.b.Number)
	s.b.Do(t, `update waba set token = '\x00' where workspace_id = $1`, s.b.Workspace)
	for range 2 {
		if err := s.sendMessage(t.Context(), s.task(2)); err != nil {
			t.Errorf("a token that does not open: %v", err)
		}
	}
	if n := counted(t, s.b, `select count(*) from stop where workspace_id = $1 and scope = 'number' and reason = 'token_unreadable'
		and cleared_at is null`, s.b.Workspace); n != 1 {
		t.Errorf("%d stops of the number are open, want 1", n)
	}
	if n := counted(t, s.b, `select count(*) from message where workspace_id = $1 and ordinal = 2 and state = 'ready'
		and attempt = 0 and feed_after > bareed_now()`, s.b.Workspace); n != 1 {
		t.Error("the message is not offered again")
	}
	s.idle(t)
}
