// Package accounts owns who may do what: organisations, workspaces, people and
// their roles, sessions, API keys, the table of actions, the audit ledger with
// its hash chain, and the keys that seal a workspace's secrets.
//
// api and web ask it who calls; every noun writes its audit through it and
// takes its sealing box from it. It must not know HTTP, campaigns or Meta.
package accounts

import (
	"slices"
	"strings"

	"bareed/internal/id"
)

// The kinds of actor.
const (
	KindUser     = "user"
	KindKey      = "key"
	KindSystem   = "system"
	KindOperator = "operator"
)

// Actor is who acts, as its credential said. The workspace comes from the
// credential and from nowhere else.
type Actor struct {
	Workspace id.Workspace
	Kind      string // KindUser, KindKey, KindSystem, KindOperator
	ID        string // usr_…, key_…, system:feeder
	Role      Role   // of a user in the workspace
	Scopes    []string
	Live      bool // false: nothing may reach Meta
	Address   string
	RequestID string
}

// String is what goes into created_by and the audit: the id alone.
func (a Actor) String() string { return a.ID }

// System is the actor of a part of the program, as in System(ws, "feeder").
func System(ws id.Workspace, part string) Actor {
	return Actor{Workspace: ws, Kind: KindSystem, ID: "system:" + part, Live: true}
}

// has tells whether the actor's scopes cover one, by name or by "noun:*".
func (a Actor) has(scope string) bool {
	noun, _, _ := strings.Cut(scope, ":")
	return slices.Contains(a.Scopes, scope) || slices.Contains(a.Scopes, noun+":*")
}
