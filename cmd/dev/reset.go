//go:build unix

package main

import (
	"context"
	"os"

	"bareed/internal/devenv"
)

// reset wipes this checkout's private data; servers given by URL stay as they are.
func reset(ctx, _ context.Context, _ []string) error {
	return devenv.Reset(ctx, os.Stdout, devenv.Demo, devenv.Test)
}
