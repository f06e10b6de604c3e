//go:build unix

package mutants

// All is every planted bug.
func All() []Mutant { return nil }
