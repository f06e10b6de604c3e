//go:build unix

package devenv

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

func missingPostgres(m Mode, why string) *MissingError {
	name, _ := given(m, "DATABASE_URL")
	return &MissingError{Service: fmt.Sprintf("PostgreSQL %d or newer", oldestPostgres), Why: why, Ways: [][2]string{
		{"install it", installHint("postgresql", "postgresql-server", "postgresql@17")},
		{"or have it done", "go run ./cmd/dev " + string(m) + " --install"},
		{"use Docker", "start Docker, then go run ./cmd/dev " + string(m)},
		{"use your own", "export " + name + "='postgres://user:password@host/database'"},
	}}
}

func missingRedis(m Mode, why string) *MissingError {
	name, _ := given(m, "REDIS_URL")
	return &MissingError{Service: "redis-server or valkey-server", Why: why, Ways: [][2]string{
		{"install it", installHint("redis-server", "valkey", "redis")},
		{"or have it done", "go run ./cmd/dev " + string(m) + " --install"},
		{"use Docker", "start Docker, then go run ./cmd/dev " + string(m)},
		{"use your own", "export " + name + "='redis://host:port/0'"},
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
