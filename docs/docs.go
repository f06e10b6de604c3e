// Package docs holds the pages that the product shows about itself. api/manual
// serves them; it knows nothing else.
package docs

import _ "embed"

// Quickstart is docs/QUICKSTART.md.
//
//go:embed QUICKSTART.md
var Quickstart string

// FakeRateCard is docs/rate-card-FAKE.csv: the form of a rate card with made-up
// prices in the currency for testing, for the demo and tests alone.
//
//go:embed rate-card-FAKE.csv
var FakeRateCard []byte
