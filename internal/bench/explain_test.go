//go:build unix

package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
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
	e, ok := parseExplained(explainedClaim)
	if !ok || e.ms != 1.25 || e.plan.pages() != 42 {
		t.Fatalf("got %+v, %t", e, ok)
	}
	faults := e.plan.faults(2000)
	if len(faults) != 1 || !strings.Contains(faults[0], "Seq Scan of permission reads 320,000 rows") {
		t.Errorf("faults: %q", faults)
	}
	if faults := e.plan.faults(1_000_000); faults != nil {
		t.Errorf("a statement that may read the table is at fault: %q", faults)
	}
	for _, other := range []string{"", "hello", "duration: x ms  plan:\n{}", "duration: 1 ms  plan:\nSeq Scan", "duration: 1 ms  statement: x"} {
		if _, ok := parseExplained(other); ok {
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

func TestConstants(t *testing.T) {
	t.Parallel()
	sql, err := constant("messages/claim.go", "sqlClaim")
	if err != nil || !strings.Contains(sql, "for update of m") {
		t.Errorf("%q, %v", sql, err)
	}
	if _, err := constant("messages/claim.go", "sqlNothing"); err == nil {
		t.Error("a constant that is not there was found")
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	s, err := parseStat("12 (a b) c)) S 7 12 12 0 -1 4194560 10 20 0 0 150 50 25 5 20 0 1 0 100\n")
	if err != nil || s.parent != 7 || s.own != 2*time.Second || s.children != 300*time.Millisecond {
		t.Errorf("got %+v, %v", s, err)
	}
	for _, bad := range []string{"", "12 S", "12 (x) S 7", "12 (x) S a 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	u := usage{"worker": 3 * time.Second}.since(usage{"worker": time.Second}, 1000)
	if u["worker"] != 2000 {
		t.Errorf("since: %v", u)
	}
	if got := infoField("a:1\r\nused_cpu_sys:2.5\r\n", "used_cpu_sys"); got != "2.5" {
		t.Errorf("infoField: %q", got)
	}
}

// TestLooks: the statements that are read out of the source are given as many
// values as they ask for.
func TestLooks(t *testing.T) {
	t.Parallel()
	for _, q := range looks {
		sql, err := constant(q.file, q.constant)
		if err != nil {
			t.Error(err)
			continue
		}
		asked := 0
		for strings.Contains(sql, fmt.Sprintf("$%d", asked+1)) {
			asked++
		}
		if asked != len(q.args) {
			t.Errorf("%s asks for %d values and is given %d", q.constant, asked, len(q.args))
		}
	}
}
