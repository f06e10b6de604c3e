//go:build unix

package devenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CopyPostgres crashes PostgreSQL, keeps a copy of what it had written, and starts
// it again: a snapshot of a disk.
func (d *Durable) CopyPostgres(ctx context.Context) error {
	if err := d.CrashPostgres(); err != nil {
		return err
	}
	if err := d.copyData(ctx, "data", "copy"); err != nil {
		return err
	}
	return d.StartPostgres(ctx)
}

// RestorePostgres crashes PostgreSQL and starts it with the copy, as if nothing
// had happened since.
func (d *Durable) RestorePostgres(ctx context.Context) error {
	if err := d.CrashPostgres(); err != nil {
		return err
	}
	if err := d.copyData(ctx, "copy", "data"); err != nil {
		return err
	}
	return d.StartPostgres(ctx)
}

func (d *Durable) copyData(ctx context.Context, from, to string) error {
	dir := filepath.Join(d.Dir, "postgres")
	if err := os.RemoveAll(filepath.Join(dir, to)); err != nil {
		return fmt.Errorf("make room for a copy: %w", err)
	}
	out, err := exec.CommandContext(ctx, "cp", "-a", filepath.Join(dir, from), filepath.Join(dir, to)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy the data: %w: %s", err, strings.TrimSpace(string(out)))
	}
	if err := os.RemoveAll(filepath.Join(dir, to, "postmaster.pid")); err != nil {
		return fmt.Errorf("make the copy nobody's: %w", err)
	}
	return nil
}
