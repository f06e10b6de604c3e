package id

// The kinds in use, one line each: the type to write in signatures. The prefix
// a caller sees stands below. A message has no identifier of its own: it is
// its run and its ordinal in that run, written msg_<run>_<ordinal>.
type (
	Organisation = ID[kindOrganisation]
	Workspace    = ID[kindWorkspace]
	User         = ID[kindUser]
	Session      = ID[kindSession]
	Key          = ID[kindKey]
	Audit        = ID[kindAudit]
	Contact      = ID[kindContact]
	Audience     = ID[kindAudience]
	Import       = ID[kindImport]
	Job          = ID[kindJob]
	Blob         = ID[kindBlob]
	Consent      = ID[kindConsent]
	Wording      = ID[kindWording]
	App          = ID[kindApp]
	Portfolio    = ID[kindPortfolio]
	WABA         = ID[kindWABA]
	Number       = ID[kindNumber]
	Template     = ID[kindTemplate]
	Campaign     = ID[kindCampaign]
	Check        = ID[kindCheck]
	Run          = ID[kindRun]
	Stop         = ID[kindStop]
	Event        = ID[kindEvent]
	Request      = ID[kindRequest]
	RateCard     = ID[kindRateCard]
)

type (
	kindOrganisation struct{}
	kindWorkspace    struct{}
	kindUser         struct{}
	kindSession      struct{}
	kindKey          struct{}
	kindAudit        struct{}
	kindContact      struct{}
	kindAudience     struct{}
	kindImport       struct{}
	kindJob          struct{}
	kindBlob         struct{}
	kindConsent      struct{}
	kindWording      struct{}
	kindApp          struct{}
	kindPortfolio    struct{}
	kindWABA         struct{}
	kindNumber       struct{}
	kindTemplate     struct{}
	kindCampaign     struct{}
	kindCheck        struct{}
	kindRun          struct{}
	kindStop         struct{}
	kindEvent        struct{}
	kindRequest      struct{}
	kindRateCard     struct{}
)

func (kindOrganisation) Prefix() string { return "org" }
func (kindWorkspace) Prefix() string    { return "ws" }
func (kindUser) Prefix() string         { return "usr" }
func (kindSession) Prefix() string      { return "ses" }
func (kindKey) Prefix() string          { return "key" }
func (kindAudit) Prefix() string        { return "adt" }
func (kindContact) Prefix() string      { return "con" }
func (kindAudience) Prefix() string     { return "aud" }
func (kindImport) Prefix() string       { return "imp" }
func (kindJob) Prefix() string          { return "job" }
func (kindBlob) Prefix() string         { return "blob" }
func (kindConsent) Prefix() string      { return "cns" }
func (kindWording) Prefix() string      { return "wrd" }
func (kindApp) Prefix() string          { return "app" }
func (kindPortfolio) Prefix() string    { return "pfo" }
func (kindWABA) Prefix() string         { return "waba" }
func (kindNumber) Prefix() string       { return "num" }
func (kindTemplate) Prefix() string     { return "tpl" }
func (kindCampaign) Prefix() string     { return "cmp" }
func (kindCheck) Prefix() string        { return "chk" }
func (kindRun) Prefix() string          { return "run" }
func (kindStop) Prefix() string         { return "stp" }
func (kindEvent) Prefix() string        { return "evt" }
func (kindRequest) Prefix() string      { return "req" }
func (kindRateCard) Prefix() string     { return "rate" }
