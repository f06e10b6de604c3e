package changed

import (
	"strings"

	"bareed/messages"
	"bareed/numbers"
)

// StopFor tells which stop a change at Meta opens. The rules: a number or
// template that loses a level of quality during its life holds; only a
// CONNECTED number and an APPROVED template may send; a WABA that Meta
// restricts, locks or disables holds whole. A change for the better opens
// nothing and clears nothing: a person resumes. A new content or category holds
// the campaigns that were approved with another (campaigns/guard), not the
// template: one that is checked with it afterwards may send it.
func StopFor(c numbers.Change) (messages.Opening, bool) {
	o := messages.Opening{ByRule: true, Measured: c.Became, By: "system:" + c.Source}
	became := strings.ToUpper(c.Became)
	switch c.What {
	case numbers.Quality:
		o.Reason, o.Threshold = "quality_"+strings.ToLower(became), "a drop to YELLOW or RED"
		return at(o, c), numbers.Dropped(c.Was, became)
	case numbers.Status:
		return statusStop(o, c, became)
	case numbers.Health:
		o.Reason, o.Threshold = "blocked_by_meta", "health BLOCKED"
		return at(o, c), became == "BLOCKED"
	}
	return accountStop(o, c, became)
}

// accountStop is StopFor of what Meta says about a whole WABA. A warning
// (violation, alert) and good news open nothing.
func accountStop(o messages.Opening, c numbers.Change, became string) (messages.Opening, bool) {
	fine := map[string]string{
		numbers.Credential: "VALID", numbers.Ban: "REINSTATE", numbers.Review: "APPROVED",
		numbers.Account: "ACCOUNT_RECONNECTED", numbers.Restriction: "",
	}
	good, known := fine[c.What]
	if !known || became == good {
		return messages.Opening{}, false
	}
	o.Reason, o.Threshold = c.What+"_"+strings.ToLower(became), "Meta's own decision"
	if !c.Until.IsZero() {
		o.Until = &c.Until
	}
	return at(o, c), true
}

func statusStop(o messages.Opening, c numbers.Change, became string) (messages.Opening, bool) {
	if !c.Template.IsZero() {
		if became == "APPROVED" {
			return messages.Opening{}, false
		}
		o.Reason, o.Threshold = "template_"+strings.ToLower(became), "any status but APPROVED"
		return at(o, c), true
	}
	if became == "CONNECTED" {
		return messages.Opening{}, false
	}
	o.Reason, o.Threshold = "number_"+strings.ToLower(became), "any status but CONNECTED"
	return at(o, c), true
}

// at puts a stop on the narrowest thing the change is about.
func at(o messages.Opening, c numbers.Change) messages.Opening {
	switch {
	case !c.Template.IsZero():
		o.Scope, o.ScopeID = messages.ScopeTemplate, c.Template
	case !c.Number.IsZero():
		o.Scope, o.ScopeID = messages.ScopeNumber, c.Number
	case !c.WABA.IsZero():
		o.Scope, o.ScopeID = messages.ScopeWABA, c.WABA
	default:
		o.Scope, o.ScopeID = messages.ScopePortfolio, c.Portfolio
	}
	return o
}
