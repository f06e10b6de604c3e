package whatsapp

import "bareed/whatsapp/codes"

// What is known after a request is the error table's to say; callers know it by
// these names. Its sentences are codes' own.
type (
	Outcome = codes.Outcome
	Scope   = codes.Scope
	Class   = codes.Class
)

// The six outcomes; see codes.
const (
	Accepted       = codes.Accepted
	NeverLeft      = codes.NeverLeft
	RefusedForNow  = codes.RefusedForNow
	RefusedForGood = codes.RefusedForGood
	StopSending    = codes.StopSending
	Unknown        = codes.Unknown
)

// The scopes, from one message to everything of a workspace.
const (
	ScopeMessage   = codes.ScopeMessage
	ScopeRecipient = codes.ScopeRecipient
	ScopeTemplate  = codes.ScopeTemplate
	ScopeCampaign  = codes.ScopeCampaign
	ScopeNumber    = codes.ScopeNumber
	ScopeWABA      = codes.ScopeWABA
	ScopeWorkspace = codes.ScopeWorkspace
)

// Codes that callers name.
const (
	CodeTokenExpired      = 190
	CodeThroughput        = 130429
	CodePairRate          = 131056
	CodeUserStopped       = 131050
	CodeTemplatePaused    = 132015
	CodeMaintenance       = 131057 // the number is being upgraded, for about a minute
	CodeInvalidCursor     = 131059
	CodeInvalidBeforeSend = codes.InvalidBeforeSend

	codeInvalidParameter = 100
)

// Classify gives the class of an error code in the answer to a request.
func Classify(code int) Class { return codes.Classify(code) }

// ClassifyStatus gives the class of the error code of a failed status, which is
// never a resend.
func ClassifyStatus(code int) Class { return codes.ClassifyStatus(code) }
