//go:build unix

package main

import (
	"context"
	"fmt"
	"os"

	"bareed/internal/procs"
)

// runProcs runs the Procfile under goreman, sends a few messages to the sandbox
// and ends; --stay keeps it up.
func runProcs(ctx, hard context.Context, args []string) error {
	args, install := mayInstall(args)
	o := procs.Options{Out: os.Stdout, Install: install}
	for _, a := range args {
		if a != "--stay" && a != "-stay" {
			return fmt.Errorf("procs takes --stay and --install, not %q", a)
		}
		o.Stay = true
	}
	return procs.Run(ctx, hard, o)
}
