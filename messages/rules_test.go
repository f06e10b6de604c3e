package messages_test

import (
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
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

func TestWhichChangesStop(t *testing.T) {
	t.Parallel()
	number, template, waba := id.New[id.Number](), id.New[id.Template](), id.New[id.WABA]()
	onNumber := func(what, was, became string) numbers.Change {
		return numbers.OfNumber(number, what, was, became)
	}
	onTemplate := func(what, was, became string) numbers.Change {
		return numbers.OfTemplate(template, what, was, became)
	}
	onWABA := func(what, was, became string) numbers.Change { return numbers.OfWABA(waba, what, was, became) }
	for _, tt := range []struct {
		change numbers.Change
		reason string // empty: no stop
		scope  messages.Scope
	}{
		{onNumber(numbers.Quality, "GREEN", "YELLOW"), "quality_yellow", messages.ScopeNumber},
		{onNumber(numbers.Quality, "YELLOW", "RED"), "quality_red", messages.ScopeNumber},
		{onNumber(numbers.Quality, "RED", "YELLOW"), "", ""},
		{onNumber(numbers.Quality, "YELLOW", "GREEN"), "", ""},
		{onNumber(numbers.Status, "CONNECTED", "RESTRICTED"), "number_restricted", messages.ScopeNumber},
		{onNumber(numbers.Status, "BANNED", "CONNECTED"), "", ""},
		{onNumber(numbers.Health, "AVAILABLE", "BLOCKED"), "blocked_by_meta", messages.ScopeNumber},
		{onNumber(numbers.Health, "AVAILABLE", "LIMITED"), "", ""},
		{onNumber(numbers.Throughput, "80", "1000"), "", ""},
		{onTemplate(numbers.Quality, "GREEN", "RED"), "quality_red", messages.ScopeTemplate},
		{onTemplate(numbers.Status, "APPROVED", "PAUSED"), "template_paused", messages.ScopeTemplate},
		{onTemplate(numbers.Status, "APPROVED", "DISABLED"), "template_disabled", messages.ScopeTemplate},
		{onTemplate(numbers.Status, "PAUSED", "APPROVED"), "", ""},
		{onTemplate(numbers.Category, "UTILITY", "MARKETING"), "", ""}, // holds campaigns: campaigns/guard
		{onTemplate(numbers.Components, "aa", "bb"), "", ""},
		{onTemplate(numbers.Health, "AVAILABLE", "BLOCKED"), "blocked_by_meta", messages.ScopeTemplate},
		{onTemplate(numbers.Health, "BLOCKED", "LIMITED"), "", ""},
		{onWABA(numbers.Ban, "", "DISABLE"), "ban_disable", messages.ScopeWABA},
		{onWABA(numbers.Ban, "", "REINSTATE"), "", ""},
		{onWABA(numbers.Credential, "valid", "invalid"), "token_invalid", messages.ScopeWABA},
		{onWABA(numbers.Credential, "invalid", "valid"), "", ""},
		{onWABA(numbers.Review, "APPROVED", "REJECTED"), "review_status_rejected", messages.ScopeWABA},
		{onWABA(numbers.Violation, "", "SCAM"), "", ""},
	} {
		o, stops := messages.StopFor(tt.change)
		if stops != (tt.reason != "") || stops && (o.Reason != tt.reason || o.Scope != tt.scope || !o.ByRule) {
			t.Errorf("%s %s→%s opens %v %q on %s, want %q on %s", tt.change.What, tt.change.Was, tt.change.Became,
				stops, o.Reason, o.Scope, tt.reason, tt.scope)
		}
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
