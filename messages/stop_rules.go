package messages

import (
	"strconv"

	"bareed/whatsapp"
)

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
