// Package access owns the routes about who may do what: signing in, the caller
// itself, the workspace's settings, API keys, members, the audit, and the
// operators' view of the queues.
//
// api registers it. The rules are in accounts; it must not know another noun.
package access

import (
	"net/http"

	"bareed/accounts"
	"bareed/api/front"
)

// Config is what a Desk is built from.
type Config struct {
	Front     *front.Front
	Hasher    *accounts.Hasher
	Dashboard http.Handler // of the queues; none: not found
}

// Desk holds the handlers.
type Desk struct {
	*front.Front
	hasher *accounts.Hasher
	queues http.Handler
}

// Register adds every route of the package.
func Register(c Config) {
	d := &Desk{Front: c.Front, hasher: c.Hasher, queues: c.Dashboard}
	d.sessions()
	d.workspaces()
	d.keys()
	d.members()
	d.audit()
	d.ops()
}
