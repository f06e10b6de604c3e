//go:build unix && !race

package simulate_test

// slower: see race_test.go.
const slower = 1
