package messages

import (
	"strconv"
	"strings"

	"bareed/internal/id"
	"bareed/numbers"
	"bareed/whatsapp"
)

// StopFor tells which stop a change at Meta opens. The rules: a number or
// template that loses a level of quality during its life holds; only a
// CONNECTED number and an APPROVED template may send; a WABA that Meta
// restricts, locks or disables holds whole. A change for the better opens
// nothing and clears nothing: a person resumes. A new content or category holds
// the campaigns that were approved with another (campaigns/guard), not the
// template: one that is checked with it afterwards may send it.
func StopFor(c numbers.Change) (Opening, bool) {
	o := Opening{ByRule: true, Measured: c.Became, By: "system:" + c.Source}
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
func accountStop(o Opening, c numbers.Change, became string) (Opening, bool) {
	fine := map[string]string{
		numbers.Credential: "VALID", numbers.Ban: "REINSTATE", numbers.Review: "APPROVED",
		numbers.Account: "ACCOUNT_RECONNECTED", numbers.Restriction: "",
	}
	good, known := fine[c.What]
	if !known || became == good {
		return Opening{}, false
	}
	o.Reason, o.Threshold = c.What+"_"+strings.ToLower(became), "Meta's own decision"
	if !c.Until.IsZero() {
		o.Until = &c.Until
	}
	return at(o, c), true
}

func statusStop(o Opening, c numbers.Change, became string) (Opening, bool) {
	if !c.Template.IsZero() {
		if became == "APPROVED" {
			return Opening{}, false
		}
		o.Reason, o.Threshold = "template_"+strings.ToLower(became), "any status but APPROVED"
		return at(o, c), true
	}
	if became == "CONNECTED" {
		return Opening{}, false
	}
	o.Reason, o.Threshold = "number_"+strings.ToLower(became), "any status but CONNECTED"
	return at(o, c), true
}

// at puts a stop on the narrowest thing the change is about.
func at(o Opening, c numbers.Change) Opening {
	switch {
	case !c.Template.IsZero():
		o.Scope, o.ScopeID = ScopeTemplate, c.Template
	case !c.Number.IsZero():
		o.Scope, o.ScopeID = ScopeNumber, c.Number
	case !c.WABA.IsZero():
		o.Scope, o.ScopeID = ScopeWABA, c.WABA
	default:
		o.Scope, o.ScopeID = ScopePortfolio, c.Portfolio
	}
	return o
}

// StopForCode tells which stop an error code opens, in an answer or in a failed
// status: the scope is the error table's.
func StopForCode(class whatsapp.Class, code int, c Claim) (Opening, bool) {
	if class.Outcome != whatsapp.StopSending {
		return Opening{}, false
	}
	o := Opening{ByRule: true, Reason: reasonOf(code), Measured: class.Title, Threshold: "the first such answer", By: "system:answer"}
	switch class.Scope {
	case whatsapp.ScopeTemplate:
		o.Scope, o.ScopeID = ScopeTemplate, c.TemplateID
	case whatsapp.ScopeCampaign:
		o.Scope, o.ScopeID = ScopeCampaign, c.Campaign
		if c.Campaign.IsZero() {
			o.Scope, o.ScopeID = ScopeRun, c.Message.Run
		}
	case whatsapp.ScopeNumber:
		o.Scope, o.ScopeID = ScopeNumber, c.Number
	default:
		o.Scope, o.ScopeID = ScopeWABA, c.WABA
	}
	return o, true
}

// reasonOf names the codes people meet; the rest are meta_<code>.
func reasonOf(code int) string {
	names := map[int]string{
		190: "token_invalid", 0: "token_invalid", 10: "permission_missing", 200: "permission_missing",
		368: "policy_block", 131031: "account_locked", 131042: "payment_problem", 131048: "spam_rate",
		132015: "template_paused", 132016: "template_disabled", 132001: "template_missing",
		132000: "template_changed", 132012: "template_changed", 133010: "number_not_registered",
		131064: "classification_violation", whatsapp.CodeInvalidBeforeSend: "token_invalid",
	}
	if n, ok := names[code]; ok {
		return n
	}
	return "meta_" + strconv.Itoa(code)
}

// RefusedInARow is the stop after several messages in a row were refused as
// malformed or for an unlisted reason: every further one would be lost the same way.
func RefusedInARow(c Claim, code int) Opening {
	o := Opening{Scope: ScopeCampaign, ScopeID: c.Campaign, ByRule: true, Reason: "refused_in_a_row",
		Threshold: "5 in a row", Measured: "code " + strconv.Itoa(code), By: "system:answer"}
	if c.Campaign == (id.Campaign{}) {
		o.Scope, o.ScopeID = ScopeRun, c.Message.Run
	}
	return o
}
