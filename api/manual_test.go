package api_test

import (
	"regexp"
	"strings"
	"testing"
)

// The pages about the API come from the binary alone, under a policy that lets
// nothing else in.
func TestManual(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.call(t, "GET", "/docs", nil, asNobody()).ok(t, 200)
	policy := a.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || strings.Count(policy, "'sha256-") != 3 {
		t.Errorf("policy %q", policy)
	}
	if elsewhere := regexp.MustCompile(`(src|href)="(https?:)?//`).Find(a.Body); elsewhere != nil {
		t.Errorf("the page reaches out: %s", elsewhere)
	}
	files := regexp.MustCompile(`(?:src|href)="(/docs/[^"]+)"`).FindAllSubmatch(a.Body, -1)
	if len(files) < 4 {
		t.Errorf("%d files: %s", len(files), a.Body)
	}
	for _, f := range files {
		if got := r.call(t, "GET", string(f[1]), nil, asNobody()).ok(t, 200); len(got.Body) < 100 {
			t.Errorf("%s: %d bytes", f[1], len(got.Body))
		}
	}
	start := r.call(t, "GET", "/docs/quickstart", nil, asNobody()).ok(t, 200)
	if !strings.Contains(string(start.Body), "<h1>") || strings.Contains(string(start.Body), "```") || strings.Contains(start.Header.Get("Content-Security-Policy"), "script-src") {
		t.Errorf("quick start: %v %s", start.Header, start.Body)
	}
	r.call(t, "GET", "/docs/assets/nothing.js", nil, asNobody()).ok(t, 404)
}
