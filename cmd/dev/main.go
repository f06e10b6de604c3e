//go:build unix

// Command dev is the developer's tool: each subcommand finds or starts what it
// needs on this machine and leaves nothing running. Run it with
//
//	go run ./cmd/dev
//
// It builds and starts things; what they do is in internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
)

// command is one line of the table of subcommands.
type command struct {
	name string
	help string
	run  func(ctx context.Context, hard context.Context, args []string) error
}

// commands is the whole tool. ctx ends at the first Ctrl-C (stop in good
// order), hard at the second (stop at once).
func commands() []command {
	return []command{
		{"demo", "start everything with a simulated WhatsApp and run a sample campaign; --once ends after it", runDemo},
		{"test", "run the tests with PostgreSQL and Redis; packages and flags go to go test", test},
		{"check", "formatting, vet, staticcheck and the modules' checksums", check},
		{"bench", "measure the product beside the ceiling of this machine; --json, --plans", measure},
		{"prove", "break everything by a plan drawn from a seed, judge by the sandbox's journal, write PROOF.md; --seed, --n, --kills", proveShort},
		{"prove-long", "the same with 100,000 people, 200 kills and three seeds", proveLong},
		{"prove-mutants", "plant known bugs, one after the other, and expect the proof to find each; names pick some", proveMutants},
		{"soak", "send for 20 minutes under light faults and look whether memory, goroutines, connections or keys grow; --length, --rate", soakIt},
		{"simulate", "carry a campaign out in simulated time and compare its end with the forecast; --rises, --people, --limit, --rate, --reserve, --numbers, --seed", simulateIt},
		{"procs", "run the Procfile, send a few messages to the sandbox, stop in good order; --stay keeps it up", runProcs},
		{"openapi", "write docs/openapi.json anew from the code", openapi},
		{"e2e", "drive a browser through the product and every page of it; --shots DIR, --page, --journey", tryPages},
		{"reset", "stop the private servers of demo and test and wipe their data", reset},
	}
}

// exitMissing is the exit code when a server cannot be had.
const exitMissing = 3

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(os.Stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		soft, hard, stop := devenv.Signals()
		defer stop()
		return exitCode(c.run(soft, hard, args[1:]))
	}
	fmt.Fprintf(os.Stderr, "there is no %q\n\n", args[0])
	usage(os.Stderr)
	return 2
}

// exitCode passes on a child's exit code, which has explained itself already,
// and explains every other error.
func exitCode(err error) int {
	var child *exec.ExitError
	var missing *software.MissingError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &child):
		return max(child.ExitCode(), 1)
	case errors.As(err, &missing):
		fmt.Fprintln(os.Stderr, err)
		return exitMissing
	default:
		fmt.Fprintln(os.Stderr, "dev:", err)
		return 1
	}
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./cmd/dev <command>")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-13s %s\n", c.name, c.help)
	}
}

// take removes a flag from args and tells whether it was there.
func take(args []string, flag string) (rest []string, found bool) {
	for _, a := range args {
		if a == flag {
			found = true
			continue
		}
		rest = append(rest, a)
	}
	return rest, found
}

// mayInstall tells whether missing servers may be installed: --install, or
// ALLOW_INSTALL=1 on a machine made for the purpose.
func mayInstall(args []string) (rest []string, yes bool) {
	rest, yes = take(args, "--install")
	return rest, yes || os.Getenv("ALLOW_INSTALL") == "1"
}
