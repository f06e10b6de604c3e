//go:build unix

package mutants_test

import (
	"path/filepath"
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
