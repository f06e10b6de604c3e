package deploy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	metricName = regexp.MustCompile(`"(bareed_[a-z_]+_(?:total|seconds|in_flight|leading|behind|bytes|count|info|state))"`)
	metricRow  = regexp.MustCompile("(?m)^\\| `(bareed_[a-z_]+)[{`]")
	linked     = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// The page names every metric that exists, and none that does not.
func TestPageOfOperationKnowsTheMetrics(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return err
		}
		b, err := os.ReadFile(p)
		for _, m := range metricName.FindAllSubmatch(b, -1) {
			exists[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(exists) < 6 {
		t.Fatalf("%d metrics found, %v", len(exists), err)
	}
	named := map[string]bool{}
	_, chapter, _ := strings.Cut(read(t, root+"docs/OPERATE.md"), "\n## Monitoring\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	for _, m := range metricRow.FindAllStringSubmatch(chapter, -1) {
		named[m[1]] = true
	}
	for name := range exists {
		if !named[name] {
			t.Errorf("docs/OPERATE.md does not name %s", name)
		}
	}
	for name := range named {
		if !exists[name] {
			t.Errorf("docs/OPERATE.md names %s, which does not exist", name)
		}
	}
}

func TestPageOfOperationLinks(t *testing.T) {
	t.Parallel()
	for _, m := range linked.FindAllStringSubmatch(read(t, root+"docs/OPERATE.md"), -1) {
		if _, err := os.Stat(root + "docs/" + m[1]); err != nil {
			t.Errorf("it links to %s: %v", m[1], err)
		}
	}
}
