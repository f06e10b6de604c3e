// Package docs holds the pages that the product shows about itself. api/manual
// serves them; it knows nothing else.
package docs

import _ "embed"

// Quickstart is docs/QUICKSTART.md.
//
//go:embed QUICKSTART.md
var Quickstart string
