//go:build unix

package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

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
