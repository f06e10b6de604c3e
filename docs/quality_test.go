package docs_test

import (
	"os"
	"strings"
	"testing"
)

// Every test that QUALITY.md names is there, and every signal names one.
func TestQualityNamesItsTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("QUALITY.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, n := range named.FindAllStringSubmatch(string(page), -1) {
		if _, read := sources[n[1]]; !read {
			sources[n[1]] = source(t, n[1])
		}
		if !strings.Contains(sources[n[1]], "\nfunc "+n[2]+"(") {
			t.Errorf("%s in %s is not there", n[2], n[1])
		}
	}
	signals := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[0]) == "signal" {
			continue
		}
		signals++
		if !named.MatchString(cells[4]) {
			t.Errorf("no test: %s", strings.TrimSpace(cells[0]))
		}
	}
	if signals < 20 {
		t.Errorf("%d signals in the table", signals)
	}
}
