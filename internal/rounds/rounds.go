// Package rounds says how long tests go on that try what comes to their random
// mind: a quarter of what they could by default, since they begin elsewhere each
// time and are run often, and all of it with BAREED_TEST_FULL=1.
//
// Tests call it; no program imports it. It knows no test.
package rounds

import "os"

// Full tells whether everything is to be tried.
func Full() bool { return os.Getenv("BAREED_TEST_FULL") != "" }

// Of is how many rounds of all are run.
func Of(all int) int {
	if Full() {
		return all
	}
	return (all + 3) / 4
}
