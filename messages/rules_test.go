package messages_test

import (
	"testing"
	"time"

	"bareed/messages"
	"bareed/whatsapp"
)

func TestEveryStateIsInTheTableOfTransitions(t *testing.T) {
	t.Parallel()
	table := messages.Transitions()
	reached := map[messages.State]bool{messages.Ready: true, messages.Suppressed: true}
	for _, list := range table {
		for _, s := range list {
			reached[s] = true
		}
	}
	for _, s := range messages.States() {
		if _, ok := table[s]; !ok {
			t.Errorf("%s has no row", s)
		}
		if !reached[s] {
			t.Errorf("%s is never reached", s)
		}
	}
	if len(table) != len(messages.States()) {
		t.Errorf("the table has %d rows for %d states", len(table), len(messages.States()))
	}
}

func TestResultOfEveryOutcome(t *testing.T) {
	t.Parallel()
	c := messages.Claim{Attempt: 1}
	for _, tt := range []struct {
		got   whatsapp.SendResult
		state messages.State
		again time.Duration // least
	}{
		{whatsapp.SendResult{Outcome: whatsapp.Accepted, Status: "accepted"}, messages.Accepted, 0},
		{whatsapp.SendResult{Outcome: whatsapp.Accepted, Status: whatsapp.StatusHeld}, messages.Held, 0},
		{whatsapp.SendResult{Outcome: whatsapp.NeverLeft}, messages.Ready, time.Second},
		{whatsapp.SendResult{Outcome: whatsapp.RefusedForNow, Code: 130429, RetryAfter: 9 * time.Second}, messages.Ready, 9 * time.Second},
		{whatsapp.SendResult{Outcome: whatsapp.RefusedForNow, Code: 131056}, messages.Ready, 6 * time.Second},
		{whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, Code: 131026}, messages.Failed, 0},
		{whatsapp.SendResult{Outcome: whatsapp.StopSending, Code: 190}, messages.Ready, time.Second},
		{whatsapp.SendResult{Outcome: whatsapp.Unknown}, messages.Unknown, 0},
		{whatsapp.SendResult{}, messages.Unknown, 0},
	} {
		r := messages.ResultOf(c, tt.got)
		if r.State != tt.state || r.Again < tt.again {
			t.Errorf("%s %d becomes %s after %v, want %s after %v", tt.got.Outcome, tt.got.Code, r.State, r.Again, tt.state, tt.again)
		}
	}
}
