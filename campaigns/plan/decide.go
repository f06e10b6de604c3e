package plan

import (
	"time"

	"bareed/campaigns/caps"
	"bareed/consents"
	"bareed/messages"
	"bareed/templates"
)

// Reasons beside those of messages. Blocked is a suppression that is no opt-out,
// ParamNotSendable a value Meta would refuse.
const (
	Blocked          = "blocked"
	ParamNotSendable = "param_not_sendable"

	// NotOnWhatsApp: two messages did not reach them; until they write.
	NotOnWhatsApp = "not_on_whatsapp"
	// CountryBarred: Meta does not let the account message their country.
	CountryBarred = "country_barred"
	// CountryBlocked: the workspace or its operator lets nothing go to their country.
	CountryBlocked = "country_blocked"
	// USMarketing: Meta delivers no marketing templates to numbers of the United
	// States since 2025-04-01, and fails them with 131049 (its page about marketing
	// messages). Canada, with the same +1, is not meant.
	USMarketing = "us_marketing"
	// CoolingOff: Meta refused marketing to them with 131049 a short while ago.
	CoolingOff = "cooling_off"
	// FrequencyCap: the workspace permits no more marketing to them for now.
	FrequencyCap = "frequency_cap"
)

// unitedStates is where USMarketing holds.
const unitedStates = "US"

// Rules is what a decision rests on beside the person.
type Rules struct {
	template templates.Template
	bindings []binding
	now      time.Time
	sending  Sending
	purpose  string
}

// NewRules prepares the decisions of one template and mapping at one instant.
func NewRules(t templates.Template, v Variables, now time.Time) Rules {
	return Rules{template: t, bindings: v.bind(t), now: now, purpose: t.Purpose()}
}

// Under lays what the workspace keeps from its people over the rules. The purpose
// is the scope's.
func (r Rules) Under(s Scope) Rules {
	r.sending, r.purpose = s.Sending, s.Purpose
	return r
}

func (r Rules) marketing() bool { return r.purpose == marketing }

// Decide says whether a person is sent the message: reason is empty and values
// are their parameters, or reason is why not. Check and plan both call it, so
// that what was promised is what happens; the claim asks the first half again
// at the moment of sending.
func (r Rules) Decide(p Person) (reason string, values templates.Values) {
	if reason := r.refused(p); reason != "" {
		return reason, nil
	}
	values, ok := fill(r.bindings, p)
	if !ok {
		return messages.ParamMissing, nil
	}
	if _, err := templates.Render(r.template, values); err != nil {
		return ParamNotSendable, nil
	}
	if reason := r.capped(p); reason != "" {
		return reason, nil
	}
	return "", values
}

// capped is what passes by itself, asked last: a turn is taken only by who is
// sent the message.
func (r Rules) capped(p Person) string {
	switch {
	case !r.marketing():
	case p.coolsUntil.After(r.sending.Due):
		return CoolingOff
	case !r.sending.Pass && caps.Over(r.sending.Rules.Frequency, p.turns, r.sending.Due):
		return FrequencyCap
	}
	return ""
}

// refused is the part about the person: deleted before unreachable before
// refused before never asked, so that the reason shown is the one that would
// remain when all others are settled.
func (r Rules) refused(p Person) string {
	switch {
	case p.erased:
		return messages.Deleted
	case p.address() == "":
		return messages.NoAddress
	case p.suppression == messages.OptedOut, p.permission && !p.granted:
		return messages.OptedOut
	case p.suppression == "erased":
		return messages.Deleted
	case p.suppression == consents.Undeliverable:
		return NotOnWhatsApp
	case p.suppression != "":
		return Blocked
	case !p.permission:
		return messages.NoOptIn
	case p.expiresAt != nil && !p.expiresAt.After(r.now):
		return messages.ConsentExpired
	case p.barred:
		return CountryBarred
	case r.sending.Rules.Blocked(p.Country()):
		return CountryBlocked
	case r.marketing() && p.Country() == unitedStates:
		return USMarketing
	}
	return ""
}
