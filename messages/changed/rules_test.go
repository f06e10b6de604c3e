package changed_test

import (
	"testing"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/messages/changed"
	"bareed/numbers"
)

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
		o, stops := changed.StopFor(tt.change)
		if stops != (tt.reason != "") || stops && (o.Reason != tt.reason || o.Scope != tt.scope || !o.ByRule) {
			t.Errorf("%s %s→%s opens %v %q on %s, want %q on %s", tt.change.What, tt.change.Was, tt.change.Became,
				stops, o.Reason, o.Scope, tt.reason, tt.scope)
		}
	}
}
