// Package people owns the routes about those who are written to: audiences, the
// files imported into them and the jobs that do it, contacts, and what they
// agreed to.
//
// api registers it. The rules are in contacts and consents; it must not know
// campaigns.
package people

import "bareed/api/front"

// Desk holds the handlers.
type Desk struct{ *front.Front }

// Register adds every route of the package.
func Register(f *front.Front) {
	d := &Desk{Front: f}
	d.audiences()
	d.imports()
	d.jobs()
	d.contacts()
}
