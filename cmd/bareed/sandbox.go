package main

import (
	"context"
	"os"

	"bareed/internal/config"
	"bareed/sandbox"
)

// runSandbox plays Meta.
func runSandbox(ctx context.Context, _ []string) error {
	c, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	log := logger(c).With("process", "sandbox")
	s, err := sandbox.New(sandbox.Config{ListenAddr: c.SandboxListen, JournalPath: c.SandboxJournal, Log: log})
	if err != nil {
		return err
	}
	log.Info("the sandbox plays Meta", "address", s.URL())
	return s.Run(ctx)
}
