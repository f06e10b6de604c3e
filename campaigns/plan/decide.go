package plan

import (
	"time"

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
)

// Rules is what a decision rests on beside the person.
type Rules struct {
	template templates.Template
	bindings []binding
	now      time.Time
}

// NewRules prepares the decisions of one template and mapping at one instant.
func NewRules(t templates.Template, v Variables, now time.Time) Rules {
	return Rules{template: t, bindings: v.bind(t), now: now}
}

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
	return "", values
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
	}
	return ""
}
