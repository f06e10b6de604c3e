package accounts

import (
	"slices"
	"strings"

	"bareed/internal/errs"
)

// Role is what a user is in one workspace.
type Role string

// The roles, from most to least.
const (
	Owner    Role = "owner"
	Admin    Role = "admin"
	Marketer Role = "marketer"
	Viewer   Role = "viewer"
)

// Roles lists every role, most powerful first.
func Roles() []Role { return []Role{Owner, Admin, Marketer, Viewer} }

// Valid tells whether r is a role.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// Action is one thing somebody may be allowed to do; routes and pages name it.
type Action string

// The actions. The words before the dot are the scope's noun for API keys.
const (
	ReadSelf        Action = "self.read"        // one's own credential, and leaving
	ReadWorkspace   Action = "workspace.read"   // its settings
	WriteWorkspace  Action = "workspace.write"  //
	ReadMembers     Action = "members.read"     //
	WriteMembers    Action = "members.write"    //
	ReadKeys        Action = "keys.read"        // names and hints, never a key
	WriteKeys       Action = "keys.write"       //
	ReadAudit       Action = "audit.read"       //
	ReadContacts    Action = "contacts.read"    // audiences, imports, people
	SeePhones       Action = "contacts.phones"  // whole phone numbers, not masked
	WriteContacts   Action = "contacts.write"   //
	ExportContacts  Action = "contacts.export"  //
	WriteConsent    Action = "consent.write"    // opt-in and opt-out by hand
	ReadNumbers     Action = "numbers.read"     // numbers, quality, limits
	WriteNumbers    Action = "numbers.write"    // connect, tokens
	ReadTemplates   Action = "templates.read"   //
	WriteTemplates  Action = "templates.write"  // fetch them from Meta again
	ReadCampaigns   Action = "campaigns.read"   //
	WriteCampaigns  Action = "campaigns.write"  // define, check
	LaunchCampaigns Action = "campaigns.launch" // launch, pause, resume, stop
	OverrideStops   Action = "campaigns.override"
	ReadReports     Action = "reports.read"
	ReadBilling     Action = "billing.read"  // rate cards, budgets
	WriteBilling    Action = "billing.write" // upload and set them
)

// Rule says who may take an action: users by role, API keys by scope. An empty
// scope refuses every key; AnyKey lets each one.
type Rule struct {
	Action Action
	Roles  []Role
	Scope  string
}

// AnyKey is the scope that every API key has.
const AnyKey = "*"

// Rules returns the one table of who may do what.
func Rules() []Rule {
	all := Roles()
	writers := []Role{Owner, Admin, Marketer}
	leads := []Role{Owner, Admin}
	return []Rule{
		{ReadSelf, all, AnyKey},
		{ReadWorkspace, all, AnyKey},
		{WriteWorkspace, leads, ""},
		{ReadMembers, leads, ""},
		{WriteMembers, leads, ""},
		{ReadKeys, leads, ""},
		{WriteKeys, leads, ""},
		{ReadAudit, leads, "audit:read"},
		{ReadContacts, all, "contacts:read"},
		{SeePhones, writers, "contacts:write"},
		{WriteContacts, writers, "contacts:write"},
		{ExportContacts, leads, ""},
		{WriteConsent, writers, "consent:write"},
		{ReadNumbers, all, "numbers:read"},
		{WriteNumbers, leads, ""},
		{ReadTemplates, all, "templates:read"},
		{WriteTemplates, writers, "templates:write"},
		{ReadCampaigns, all, "campaigns:read"},
		{WriteCampaigns, writers, "campaigns:write"},
		{LaunchCampaigns, writers, "campaigns:launch"},
		{OverrideStops, leads, ""},
		{ReadReports, all, "reports:read"},
		{ReadBilling, all, "billing:read"},
		{WriteBilling, leads, "billing:write"},
	}
}

// RuleOf finds an action's rule.
func RuleOf(action Action) (Rule, bool) {
	for _, r := range Rules() {
		if r.Action == action {
			return r, true
		}
	}
	return Rule{}, false
}

// ScopeNames lists every scope a key can be given, "noun:*" forms included.
func ScopeNames() []string {
	var names []string
	for _, r := range Rules() {
		if r.Scope == "" || r.Scope == AnyKey {
			continue
		}
		noun, _, _ := strings.Cut(r.Scope, ":")
		for _, s := range []string{r.Scope, noun + ":*"} {
			if !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Allow returns nil when the actor may take the action, and auth.role or
// auth.scope when not. An action outside the table is refused to everybody.
func Allow(a Actor, action Action) error {
	rule, ok := RuleOf(action)
	switch {
	case a.Kind == KindSystem:
		return nil
	case !ok:
		return errs.New("auth.role", "action", string(action))
	case a.Kind == KindUser && slices.Contains(rule.Roles, a.Role):
		return nil
	case a.Kind == KindKey && (rule.Scope == AnyKey || rule.Scope != "" && a.has(rule.Scope)):
		return nil
	case a.Kind == KindKey && rule.Scope != "":
		return errs.New("auth.scope", "scope", rule.Scope)
	case a.Kind == KindKey:
		return errs.New("auth.not_by_key")
	case a.Kind == KindOperator:
		return errs.New("auth.operator")
	}
	return errs.New("auth.role", "action", string(action))
}
