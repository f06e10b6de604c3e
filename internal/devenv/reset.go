//go:build unix

package devenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Reset stops this checkout's private servers of these modes, whoever uses
// them, and removes their data. Servers given by URL are left alone.
func Reset(ctx context.Context, out io.Writer, modes ...Mode) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	state, err := stateDir()
	if err != nil {
		return err
	}
	for _, m := range modes {
		if err := resetMode(ctx, out, state, m); err != nil {
			return err
		}
	}
	return nil
}

func resetMode(ctx context.Context, out io.Writer, state string, m Mode) error {
	removeContainers(ctx, state, m)
	dir := filepath.Join(state, string(m))
	if _, err := os.Lstat(dir); err != nil {
		fmt.Fprintf(out, "%-10s nothing to remove\n", m)
		return nil
	}
	stops := map[string]func(context.Context, string) error{"postgres": stopPostgresIn, "redis": stopRedisIn}
	for _, service := range []string{"postgres", "redis"} {
		unlock, err := lock(ctx, filepath.Join(dir, service)+".lock")
		if err != nil {
			return err
		}
		defer unlock()
		if err := stops[service](ctx, filepath.Join(dir, service)); err != nil {
			return fmt.Errorf("stop %s: %w", service, err)
		}
		if target, err := os.Readlink(filepath.Join(dir, service, "run")); err == nil {
			os.RemoveAll(target)
		}
	}
	if err := removeData(filepath.Join(dir, "postgres", "data")); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the data: %w", err)
	}
	fmt.Fprintf(out, "%-10s removed %s\n", m, dir)
	return nil
}

func stopPostgresIn(ctx context.Context, dir string) error {
	return stopPostmaster(ctx, filepath.Join(dir, "data"))
}

func stopRedisIn(ctx context.Context, dir string) error {
	run := filepath.Join(dir, "run")
	if target, err := os.Readlink(run); err == nil {
		run = target
	}
	return stopRedis(ctx, filepath.Join(run, "redis.sock"))
}

// removeContainers removes the containers and the volume a run with Docker left.
func removeContainers(ctx context.Context, state string, m Mode) {
	if _, err := os.Lstat(filepath.Join(state, "docker-secret")); err != nil {
		return // Docker was never used from here
	}
	for _, service := range []string{"postgres", "redis"} {
		name := containerName(state, m, service)
		(&container{name: name}).remove()
		_ = exec.CommandContext(ctx, "docker", "volume", "rm", name).Run() // not there is as good
	}
}
