//go:build unix

package software

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// policyFile is how Debian's packages are told not to start their services.
const policyFile = "/usr/sbin/policy-rc.d"

// Install gets packages (a space between two) with apt-get as root or with
// Homebrew as a user. It never asks for more rights than it has. On Debian no service is left running
// that was not running before.
func Install(ctx context.Context, out io.Writer, apt, brew string) error {
	start := time.Now()
	var steps [][]string
	switch {
	case os.Getuid() == 0 && onPath("apt-get"):
		undo, err := forbidServices(policyFile)
		if err != nil {
			return err
		}
		defer undo()
		steps = [][]string{{"apt-get", "update", "-q"}, append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, strings.Fields(apt)...)}
	case os.Getuid() != 0 && onPath("brew"):
		steps = [][]string{append([]string{"brew", "install"}, strings.Fields(brew)...)}
	default:
		return errors.New("--install works with apt-get as root or with brew as a user, and this is neither")
	}
	for _, s := range steps {
		fmt.Fprintf(out, "%-10s %s\n", "install", strings.Join(s, " "))
		cmd := exec.CommandContext(ctx, s[0], s[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if said, err := cmd.CombinedOutput(); err != nil {
			lines := strings.Split(strings.TrimSpace(string(said)), "\n")
			return fmt.Errorf("%s: %w\n%s", strings.Join(s, " "), err, strings.Join(lines[max(0, len(lines)-6):], "\n"))
		}
	}
	fmt.Fprintf(out, "%-10s done in %.0f s\n", "install", time.Since(start).Seconds())
	return nil
}

// forbidServices puts the file in place that keeps packages from starting what
// they install, unless the machine has one of its own.
func forbidServices(file string) (undo func(), err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, os.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keep packages from starting services: %w", err)
	}
	_, err = f.WriteString("#!/bin/sh\nexit 101\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("keep packages from starting services: %w", err)
	}
	return func() { os.Remove(file) }, nil
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
