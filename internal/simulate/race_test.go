//go:build unix && race

package simulate_test

// slower is how much smaller the worlds of pure rules are under the race
// detector, which has nothing to find in them and takes ten times as long.
const slower = 20
