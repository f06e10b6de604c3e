package messages

import (
	"strconv"
	"strings"

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
// status: scope, reason and time are the error table's.
func StopForCode(class whatsapp.Class, code int, c Claim) (Opening, bool) {
	if class.Outcome != whatsapp.StopSending {
		return Opening{}, false
	}
	o := Opening{ByRule: true, Reason: class.StopReason, Measured: class.Title, Threshold: "the first such answer", By: "system:answer",
		For: class.StopFor, Code: metaCode(code)}
	switch class.Scope {
	case whatsapp.ScopeTemplate:
		o.Scope, o.ScopeID = ScopeTemplate, c.TemplateID
	case whatsapp.ScopeCampaign:
		o.Scope, o.ScopeID = ofCampaign(c)
	case whatsapp.ScopeNumber:
		o.Scope, o.ScopeID = ScopeNumber, c.Number
	default:
		o.Scope, o.ScopeID = ScopeWABA, c.WABA
	}
	return o, true
}

// metaCode leaves out what is no code of Meta's.
func metaCode(code int) *int {
	if code < 0 {
		return nil
	}
	return &code
}

// ofCampaign is the campaign, or the run of what has none.
func ofCampaign(c Claim) (Scope, [16]byte) {
	if c.Campaign.IsZero() {
		return ScopeRun, c.Message.Run
	}
	return ScopeCampaign, c.Campaign
}

// RefusedInARow is the stop after several messages in a row were refused as
// malformed or for an unlisted reason: every further one would be lost the same way.
func RefusedInARow(c Claim, code int) Opening {
	o := Opening{ByRule: true, Reason: "refused_in_a_row", Threshold: "5 in a row", Measured: "code " + strconv.Itoa(code),
		By: "system:answer", Code: metaCode(code)}
	o.Scope, o.ScopeID = ofCampaign(c)
	return o
}
