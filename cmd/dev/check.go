//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// check runs what needs no server. It runs every step and fails at the end, so
// that one round shows all there is to mend.
func check(ctx, hard context.Context, _ []string) error {
	steps := []struct {
		name string
		run  func() error
	}{
		{"gofmt", func() error { return formatted(ctx) }},
		{"go vet", func() error { return runGo(ctx, hard, nil, []string{"vet", "./..."}) }},
		{"staticcheck", func() error { return runGo(ctx, hard, nil, []string{"tool", "staticcheck", "./..."}) }},
		{"go mod verify", func() error { return runGo(ctx, hard, nil, []string{"mod", "verify"}) }},
	}
	var failed []string
	for _, s := range steps {
		start := time.Now()
		err := s.run()
		result := "ok"
		if err != nil {
			result = "failed: " + err.Error()
			failed = append(failed, s.name)
		}
		fmt.Printf("%-14s %5.1f s  %s\n", s.name, time.Since(start).Seconds(), result)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted")
		}
	}
	if failed != nil {
		return fmt.Errorf("check: %s", strings.Join(failed, ", "))
	}
	return nil
}

// formatted lists the files that gofmt would change.
func formatted(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "gofmt", "-l", ".")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	if len(out) > 0 {
		return fmt.Errorf("run gofmt -w on\n%s", strings.TrimSpace(string(out)))
	}
	return nil
}
