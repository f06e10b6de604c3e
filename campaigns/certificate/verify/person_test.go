package verify

import (
	"strings"
	"testing"
	"time"
)

// What one line alone may say, and what it may not, whatever the seal.
func TestOneLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	step := func(attempt int, outcome string) Step { return Step{At: at, Attempt: attempt, Outcome: outcome} }
	accepted := func(steps ...Step) Person {
		return Person{Ordinal: 1, Person: strings.Repeat("ab", 16), State: "sent", Attempts: 1, ClaimedAt: &at, AcceptedAt: &at, MetaID: "x",
			Accepted: 1, Consent: "con_1", ConsentHash: "y", Steps: steps}
	}
	with := func(p Person, change func(*Person)) Person {
		change(&p)
		return p
	}
	second := func(steps ...Step) Person { return with(accepted(steps...), func(p *Person) { p.Attempts = 2 }) }
	silent := with(accepted(step(1, "unknown")), func(p *Person) {
		p.State, p.Reason, p.AcceptedAt, p.MetaID, p.Accepted = "unconfirmed", "no_answer", nil, "", 0
	})
	for _, tt := range []struct {
		name   string
		policy string
		person Person
		fault  string // a part of the one sentence; empty: none
	}{
		{"accepted at once", "hold", accepted(), ""},
		{"refused, then accepted", "hold", second(step(1, "refused_for_now")), ""},
		{"given back, then accepted", "hold", second(), ""},
		{"no answer, its receipt came", "hold", accepted(step(1, "unknown")), ""},
		{"no answer for good", "hold", silent, ""},
		{"sent again by a person", "hold", second(step(1, "unknown"), step(1, "resent_by_person")), ""},
		{"dropped by Meta, sent anew by a person", "hold", second(step(1, "dropped_by_meta"), step(1, "returned_by_person")), ""},
		{"dropped by Meta, and it came all the same", "hold", with(second(step(1, "dropped_by_meta"), step(1, "returned_by_person"), step(2, "second_acceptance")),
			func(p *Person) { p.Accepted = 2 }), "accepted 2 requests"},
		{"sent again by evidence", "evidence", second(step(1, "expired"), step(1, "resent_by_evidence")), ""},
		{"a frozen worker reports after the decision", "evidence", second(step(1, "expired"), step(1, "resent_by_evidence"), step(1, "unknown")), ""},
		{"expired, then a refusal came late", "hold", second(step(1, "expired"), step(1, "refused_for_now")), ""},
		{"expired, then given back", "hold", second(step(1, "expired"), step(1, "given_back")), ""},

		{"sent again blindly", "evidence", second(step(1, "unknown")), "without a proof or a decision"},
		{"sent again blindly, and refused", "evidence", second(step(1, "unknown"), step(2, "refused_for_now")), "without a proof or a decision"},
		{"by evidence under hold", "hold", second(step(1, "unknown"), step(1, "resent_by_evidence")), "under the policy hold"},
		{"by evidence twice", "evidence", with(second(step(1, "unknown"), step(1, "resent_by_evidence"), step(2, "unknown"), step(2, "resent_by_evidence")),
			func(p *Person) { p.Attempts = 3 }), "2 times"},
		{"accepted twice", "hold", with(second(step(1, "unknown"), step(1, "resent_by_person"), step(2, "second_acceptance")), func(p *Person) { p.Accepted = 2 }),
			"accepted 2 requests"},
		{"accepted twice and hidden", "hold", second(step(1, "unknown"), step(1, "resent_by_person"), step(2, "second_acceptance")), "said to have 1"},
		{"a state that there is not", "hold", with(accepted(), func(p *Person) { p.State = "fine" }), "there is not"},
		{"a step that there is not", "hold", accepted(step(1, "fine")), "there is not"},
		{"a step of an attempt that there was not", "hold", accepted(step(2, "never_left")), "attempt 2 of 1"},
		{"steps out of order", "hold", second(step(2, "never_left"), step(1, "never_left")), "out of order"},
		{"accepted without an attempt", "hold", with(accepted(), func(p *Person) { p.Attempts, p.ClaimedAt = 0, nil }), "without an attempt"},
		{"sent without acceptance", "hold", with(accepted(), func(p *Person) { p.AcceptedAt, p.Accepted = nil, 0 }), "without Meta's acceptance"},
		{"unconfirmed although accepted", "hold", with(silent, func(p *Person) { p.MetaID = "x" }), "although Meta accepted"},
		{"unconfirmed without a reason", "hold", with(silent, func(p *Person) { p.Reason = "" }), "without a reason"},
		{"attempted without consent", "hold", with(accepted(), func(p *Person) { p.Consent = "" }), "no consent entry"},
		{"no hash", "hold", with(accepted(), func(p *Person) { p.Person = "+966" }), "no keyed hash"},
		{"beyond the plan", "hold", with(accepted(), func(p *Person) { p.Ordinal = 3 }), "out of order"},
	} {
		c := &checker{Result: Result{Head: Head{Policy: tt.policy, Planned: 2}, Totals: Totals{Failed: map[string]int64{}, Suppressed: map[string]int64{}}}}
		c.person(tt.person)
		if tt.fault == "" && len(c.Faults) > 0 || tt.fault != "" && (len(c.Faults) != 1 || !strings.Contains(c.Faults[0], tt.fault)) {
			t.Errorf("%s: %q, want one with %q", tt.name, c.Faults, tt.fault)
		}
	}
}
