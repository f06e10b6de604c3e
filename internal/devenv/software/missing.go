//go:build unix

package software

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
)

// MissingError says that a service cannot be had, and each way to go on with
// the one command that does it.
type MissingError struct {
	Service string
	Why     string
	Ways    [][2]string // what, command
}

// Error lists the ways, one a line.
func (e *MissingError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is not on this machine", e.Service)
	if e.Why != "" {
		fmt.Fprintf(&b, " (%s)", e.Why)
	}
	b.WriteString(". Ways to go on:")
	for _, w := range e.Ways {
		fmt.Fprintf(&b, "\n  %-16s %s", w[0], w[1])
	}
	return b.String()
}

// MissingPostgres is what a subcommand of the developer's tool says; variable
// names a server of one's own.
func MissingPostgres(command, variable, why string) *MissingError {
	return &MissingError{Service: fmt.Sprintf("PostgreSQL %d or newer", oldestPostgres), Why: why, Ways: [][2]string{
		{"install it", installHint("postgresql", "postgresql-server", "postgresql@17")},
		{"or have it done", "go run ./cmd/dev " + command + " --install"},
		{"use Docker", "start Docker, then go run ./cmd/dev " + command},
		{"use your own", "export " + variable + "='postgres://user:password@host/database'"},
	}}
}

// MissingRedis is MissingPostgres for Redis.
func MissingRedis(command, variable string) *MissingError {
	return &MissingError{Service: "redis-server or valkey-server", Ways: [][2]string{
		{"install it", installHint("redis-server", "valkey", "redis")},
		{"or have it done", "go run ./cmd/dev " + command + " --install"},
		{"use Docker", "start Docker, then go run ./cmd/dev " + command},
		{"use your own", "export " + variable + "='redis://host:port/0'"},
	}}
}

// installHint is the command for this machine's package manager.
func installHint(apt, dnf, brew string) string {
	has := func(p string) bool { _, err := exec.LookPath(p); return err == nil }
	switch {
	case runtime.GOOS == "darwin" || (has("brew") && !has("apt-get")):
		return "brew install " + brew
	case has("dnf"):
		return "sudo dnf install -y " + dnf
	default:
		return "sudo apt-get install -y " + apt
	}
}
