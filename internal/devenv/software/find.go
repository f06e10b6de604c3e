//go:build unix

// Package software knows which programs a machine has, how to get those that
// are missing, and what to tell a person who must. devenv and the browser tests
// call it; it starts no server.
package software

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oldestPostgres is the oldest major version the schema works on.
const oldestPostgres = 15

// PostgresBin is a directory with PostgreSQL's server programs.
type PostgresBin struct {
	Dir   string
	Major int
}

// postgresGlobs are the places distributions and installers use.
var postgresGlobs = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // RHEL, Fedora (PGDG)
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew, Apple silicon
	"/opt/homebrew/opt/postgresql/bin",                   //
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew, Intel
	"/usr/local/opt/postgresql/bin",                      //
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",    // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/Library/PostgreSQL/*/bin",                          // EDB installer
	"/usr/local/pgsql/bin",                               // from source
}

// FindPostgres lists the usable installations, the one to prefer first:
// PG_BINDIR, what pg_config names, the postgres on PATH, then the well-known
// places with the highest version first. The error says why none is usable.
func FindPostgres() ([]PostgresBin, error) {
	if dir := os.Getenv("PG_BINDIR"); dir != "" {
		b, ok := postgresAt(dir)
		if !ok || b.Major < oldestPostgres {
			return nil, fmt.Errorf("PG_BINDIR is %s: it has no initdb and postgres of version %d or newer", dir, oldestPostgres)
		}
		return []PostgresBin{b}, nil
	}
	var dirs []string
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	found := usable(dirs)
	var more []string
	for _, g := range postgresGlobs {
		m, _ := filepath.Glob(g) // the patterns are constants
		more = append(more, m...)
	}
	rest := usable(more)
	slices.SortStableFunc(rest, func(a, b PostgresBin) int { return cmp.Compare(b.Major, a.Major) })
	found = append(found, rest...)
	if len(found) == 0 {
		return nil, fmt.Errorf("no initdb and postgres of version %d or newer found", oldestPostgres)
	}
	return found, nil
}

func usable(dirs []string) []PostgresBin {
	var out []PostgresBin
	for _, d := range dirs {
		if b, ok := postgresAt(d); ok && b.Major >= oldestPostgres && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

var majorVersion = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// postgresAt looks into one directory. Both programs must be there: packages
// with the client alone have neither.
func postgresAt(dir string) (PostgresBin, bool) {
	if !Runnable(filepath.Join(dir, "initdb")) || !Runnable(filepath.Join(dir, "postgres")) {
		return PostgresBin{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	m := majorVersion.FindSubmatch(out)
	if err != nil || m == nil {
		return PostgresBin{}, false
	}
	major, err := strconv.Atoi(string(m[1]))
	return PostgresBin{Dir: dir, Major: major}, err == nil
}

// Runnable tells whether a file can be run.
func Runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// redisDirs are looked into after PATH, which on some systems leaves out sbin
// or Homebrew.
var redisDirs = []string{
	"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
	"/opt/homebrew/bin", "/opt/homebrew/opt/redis/bin", "/opt/homebrew/opt/valkey/bin",
	"/usr/local/opt/redis/bin", "/usr/local/opt/valkey/bin", "/home/linuxbrew/.linuxbrew/bin",
}

// RedisBinary returns the path of redis-server or valkey-server: from
// REDIS_BINDIR, PATH or the well-known places. A missing one is a *MissingError.
func RedisBinary() (string, error) {
	names := []string{"redis-server", "valkey-server"}
	dirs := redisDirs
	if dir := os.Getenv("REDIS_BINDIR"); dir != "" {
		dirs = []string{dir}
	} else {
		for _, n := range names {
			if p, err := exec.LookPath(n); err == nil {
				return p, nil
			}
		}
	}
	for _, d := range dirs {
		for _, n := range names {
			if p := filepath.Join(d, n); Runnable(p) {
				return p, nil
			}
		}
	}
	return "", MissingRedis("test", "TEST_REDIS_URL")
}
