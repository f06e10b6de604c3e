//go:build unix

package devenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Scratch is a database and a directory for the life of one program. What a
// killed one leaves, the next Up of the same mode removes.
type Scratch struct {
	DatabaseURL string
	Dir         string

	server string
	name   string
	held   *pgx.Conn // into the database: while somebody is connected it cannot be swept
	owned  *os.File  // locked, in the directory, for the same reason
}

const (
	scratchDatabase = "bareed_scratch_"
	scratchDir      = "bareed-scratch-"
	scratchOwner    = "owner.lock"
)

// Scratch makes both, for a program whose name is what: a-z only.
func (e *Env) Scratch(ctx context.Context, what string) (*Scratch, error) {
	u, err := url.Parse(e.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database address: it is not a URL")
	}
	s := &Scratch{server: e.DatabaseURL, name: scratchDatabase + what + "_" + strings.ToLower(rand.Text()[:8])}
	u.Path = "/" + s.name
	s.DatabaseURL = u.String()
	if err := s.makeDir(what); err != nil {
		s.Close()
		return nil, err
	}
	conn, err := connect(ctx, s.server)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("connect to make a database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `create database `+pgx.Identifier{s.name}.Sanitize()+` template template0`); err != nil {
		s.Close()
		return nil, fmt.Errorf("make a database: %w", err)
	}
	if s.held, err = connect(ctx, s.DatabaseURL); err != nil {
		s.Close()
		return nil, fmt.Errorf("connect to the new database: %w", err)
	}
	return s, nil
}

func (s *Scratch) makeDir(what string) (err error) {
	if s.Dir, err = os.MkdirTemp("", scratchDir+what+"-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	s.owned, err = os.OpenFile(filepath.Join(s.Dir, scratchOwner), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(s.owned.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		return fmt.Errorf("lock the directory: %w", err)
	}
	return nil
}

// Close removes both. It may be called again.
func (s *Scratch) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if s.held != nil {
		_ = s.held.Close(ctx) // it is dropped next
		s.held = nil
	}
	if conn, err := connect(ctx, s.server); err == nil {
		_, _ = conn.Exec(ctx, `drop database if exists `+pgx.Identifier{s.name}.Sanitize()+` with (force)`) // the next Up tries again
		_ = conn.Close(ctx)
	}
	if s.Dir != "" {
		os.RemoveAll(s.Dir)
	}
	if s.owned != nil {
		s.owned.Close()
		s.owned = nil
	}
}

// sqlLeftOver finds scratch databases that nobody is connected to.
const sqlLeftOver = `
select d.datname
from pg_database d
where starts_with(d.datname, $1)
  and not exists (select from pg_stat_activity a where a.datid = d.oid)`

// sweepScratch is a favour: what cannot be removed now is left for the next.
func (e *Env) sweepScratch(ctx context.Context) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchDir+"*")) // the pattern is our own
	for _, dir := range dirs {
		removeUnowned(dir)
	}
	if e.DatabaseURL == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conn, err := connect(ctx, e.DatabaseURL)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, sqlLeftOver, scratchDatabase)
	if err != nil {
		return
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return
	}
	for _, name := range names {
		// Without force, so that somebody who connected meanwhile keeps it.
		_, _ = conn.Exec(ctx, `drop database if exists `+pgx.Identifier{name}.Sanitize())
	}
}

// removeUnowned removes a directory whose owner's lock nobody holds. One
// without the file is just being made.
func removeUnowned(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, scratchOwner), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		os.RemoveAll(dir)
	}
}
