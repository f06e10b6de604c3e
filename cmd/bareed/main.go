// Command bareed is the product's one binary: each subcommand is a process or
// an operator's tool. It alone reads the configuration and builds things.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // schedules need every zone, also on a machine without zoneinfo

	"bareed/internal/config"
)

// command is one line of the table of subcommands.
type command struct {
	name string
	help string
	run  func(ctx context.Context, args []string) error
}

// commands is everything that can be started.
func commands() []command {
	return []command{
		{"api", "serve the API, Meta's webhooks and the operators' dashboard", runAPI},
		{"worker", "perform tasks: send messages, apply webhooks, import files", runWorker},
		{"scheduler", "turn due rows into tasks; one leads, more wait", runScheduler},
		{"sandbox", "play Meta, for rehearsals", runSandbox},
		{"migrate", "bring the database to the newest schema", runMigrate},
		{"admin", "make organisations, workspaces, users and keys; hold and release all sending", runAdmin},
		{"health", "ask the process of these settings whether it is ready", runHealth},
		{"verify", "check the certificate of a campaign, without any server", runVerify},
		{"version", "tell the version", runVersion},
	}
}

// gcPercent lets the heap, a few dozen MB in these processes, grow fourfold
// between collections: at a thousand messages a second collecting it more often
// costs a tenth of the processor. GOGC, when set, wins.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// run returns the exit code: 0 done, 1 failed, 2 called or configured wrongly.
func run(ctx context.Context, args []string, errOut io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(errOut)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:])
		var problems config.Problems
		switch {
		case err == nil:
			return 0
		case errors.As(err, &problems), errors.Is(err, errUsage):
			fmt.Fprintln(errOut, err)
			return 2
		default:
			fmt.Fprintf(errOut, "bareed %s: %v\n", c.name, err)
			return 1
		}
	}
	fmt.Fprintf(errOut, "there is no %q\n\n", args[0])
	usage(errOut)
	return 2
}

// errUsage marks a call that could not be understood; the message says how it is.
var errUsage = errors.New("usage")

func usage(out io.Writer) {
	fmt.Fprintln(out, "bareed, a WhatsApp campaign and broadcast engine\n\nusage: bareed COMMAND")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-10s %s\n", c.name, c.help)
	}
	fmt.Fprintln(out, "\nSettings are environment variables: docs/CONFIG.md.")
}
