package explain

import (
	"strings"
	"testing"
)

const explainedClaim = `duration: 1.250 ms  plan:
{
  "Query Text": "update message",
  "Plan": {"Node Type": "Update", "Relation Name": "message", "Actual Rows": 1, "Actual Loops": 1,
    "Shared Hit Blocks": 40, "Shared Read Blocks": 2,
    "Plans": [
      {"Node Type": "Index Scan", "Relation Name": "message_20261119", "Index Name": "message_pkey",
        "Actual Rows": 1, "Actual Loops": 16, "Rows Removed by Filter": 0},
      {"Node Type": "Seq Scan", "Relation Name": "permission", "Actual Rows": 1, "Actual Loops": 16,
        "Rows Removed by Filter": 19999},
      {"Node Type": "Seq Scan", "Relation Name": "clock_offset", "Actual Rows": 1, "Actual Loops": 90000}]}
}`

func TestExplainedPlans(t *testing.T) {
	t.Parallel()
	e, ok := Parse(explainedClaim)
	if !ok || e.MS != 1.25 || e.Plan.Pages() != 42 {
		t.Fatalf("got %+v, %t", e, ok)
	}
	faults := e.Plan.Faults(2000)
	if len(faults) != 1 || !strings.Contains(faults[0], "Seq Scan of permission reads 320,000 rows") {
		t.Errorf("faults: %q", faults)
	}
	if faults := e.Plan.Faults(1_000_000); faults != nil {
		t.Errorf("a statement that may read the table is at fault: %q", faults)
	}
	for _, other := range []string{"", "hello", "duration: x ms  plan:\n{}", "duration: 1 ms  plan:\nSeq Scan", "duration: 1 ms  statement: x"} {
		if _, ok := Parse(other); ok {
			t.Errorf("%q was taken for a plan", other)
		}
	}
}

func TestLargeTables(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"message": true, "message_20261119": true, "message_attempt_20261119": true,
		"event_20260101": true, "contact": true, "contact_tag": false, "run": false, "message_x": false, "consent_2026": false} {
		if isLarge(name) != want {
			t.Errorf("isLarge(%s) = %t", name, !want)
		}
	}
}
