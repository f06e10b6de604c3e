//go:build unix

package mutants_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bareed/internal/prove/mutants"
)

// A patch whose text the product no longer has would plant nothing.
func TestEveryPatchFits(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutants.All() {
		if names[m.Name] || len(m.Patches) == 0 || m.Plan.Name == "" || m.Plan.Run == nil || m.By == "" {
			t.Errorf("%s: a name of its own, patches, a plan and what it breaks", m.Name)
		}
		names[m.Name] = true
		for _, p := range m.Patches {
			if _, err := mutants.Apply(filepath.Join("../../..", p.File), p); err != nil {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
	}
}

// The list that people read is this table, in its order.
func TestListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/PROVE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([a-zA-Z0-9'-]+-[a-zA-Z0-9'-]+)\b[^|]*\| ([a-z-]+) \|`).FindAllStringSubmatch(string(page), -1)
	all := mutants.All()
	if len(rows) != len(all) {
		t.Fatalf("%d planted bugs are listed, there are %d", len(rows), len(all))
	}
	for i, m := range all {
		if rows[i][1] != m.Name || rows[i][2] != m.Plan.Name {
			t.Errorf("%s in the plan %s is listed as %s in the plan %s", m.Name, m.Plan.Name, rows[i][1], rows[i][2])
		}
	}
}

// The plan that ends the sessions which claim knows them by a text of the claim's
// statement, of which PostgreSQL shows the first thousand characters.
func TestClaimIsFound(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../../messages/claim.go")
	if err != nil {
		t.Fatal(err)
	}
	_, sql, _ := strings.Cut(string(source), "const sqlClaim = `")
	if at := strings.Index(sql, "w.token"); at < 0 || at > 1000 {
		t.Errorf("w.token is at %d of the claim's statement", at)
	}
}
