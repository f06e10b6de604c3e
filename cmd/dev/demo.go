//go:build unix

package main

import (
	"context"
	"fmt"
	"os"

	"bareed/internal/demo"
)

// runDemo shows the product at work; --once ends after the report, and its last
// line on standard output is one JSON object.
func runDemo(ctx, hard context.Context, args []string) error {
	args, install := mayInstall(args)
	o := demo.Options{Out: os.Stdout, Install: install}
	if info, err := os.Stdout.Stat(); err == nil {
		o.Terminal = info.Mode()&os.ModeCharDevice != 0
	}
	for _, a := range args {
		if a != "--once" && a != "-once" {
			return fmt.Errorf("demo takes --once and --install, not %q", a)
		}
		o.Once = true
	}
	return demo.Run(ctx, hard, o)
}
