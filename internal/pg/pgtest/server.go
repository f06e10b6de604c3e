package pgtest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/internal/devenv"
	"bareed/internal/pg"
	"bareed/migrations"
)

const (
	templatePrefix = "bareed_tpl_"
	clonePrefix    = "bareed_t_"
)

// Advisory locks in the maintenance database, as (class, key) pairs.
const (
	lockBuild = 810001 // key 0: building a template, sweeping
	lockRun   = 810002 // key: number of a test process that is alive
	lockInUse = 810003 // key: hash of a template's name, shared by its users
)

// server is the PostgreSQL of this test process. Its connections stay open until
// the process ends, which frees its locks and, for a private server, its claim.
type server struct {
	env      *devenv.Env
	url      *url.URL
	admin    *pgxpool.Pool
	alive    *pgx.Conn // holds lockRun and lockInUse for this process
	run      int32
	template string
	strategy string
	n        atomic.Int64
	build    sync.Mutex
}

// shared is the one piece of state here: a test process has one server, and it
// cannot be handed in since each test stands alone.
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	env, err := devenv.Up(ctx, devenv.Options{Mode: devenv.Test, NoRedis: true, Attached: true})
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, env)
	if err != nil {
		env.Close()
	}
	return s, err
})

func open(ctx context.Context, env *devenv.Env) (*server, error) {
	u, err := parseURL(env.DatabaseURL)
	if err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(env.DatabaseURL)
	if err != nil {
		return nil, errors.New("TEST_DATABASE_URL is not a PostgreSQL URL")
	}
	cfg.MaxConns = 4
	s := &server{env: env, url: u, template: templateName(time.Now().UTC())}
	if s.admin, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open the maintenance pool: %w", err)
	}
	if s.alive, err = pgx.ConnectConfig(ctx, cfg.ConnConfig); err != nil {
		return nil, fmt.Errorf("connect to the maintenance database: %w", err)
	}
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	return s, s.underBuildLock(ctx, func(conn *pgx.Conn) error {
		if err := s.sweep(ctx, conn); err != nil {
			return err
		}
		return s.ensureTemplate(ctx, conn)
	})
}

// templateName changes with the schema, and with the day because partitions are
// made ahead of the day of migration.
func templateName(now time.Time) string {
	return templatePrefix + migrations.Hash() + "_" + now.Format("20060102")
}

// enter takes a number for this process, marks it alive, and picks the fast way
// to copy: a copy of files needs two checkpoints, which are free without fsync.
func (s *server) enter(ctx context.Context) error {
	for taken := false; !taken; {
		s.run = rand.Int32()
		if err := s.alive.QueryRow(ctx, `select pg_try_advisory_lock($1, $2)`, lockRun, s.run).Scan(&taken); err != nil {
			return fmt.Errorf("mark this test run alive: %w", err)
		}
	}
	if _, err := s.alive.Exec(ctx, `select pg_advisory_lock_shared($1, $2)`, lockInUse, keyOf(s.template)); err != nil {
		return fmt.Errorf("mark the template in use: %w", err)
	}
	var fsync string
	if err := s.alive.QueryRow(ctx, `show fsync`).Scan(&fsync); err != nil {
		return fmt.Errorf("ask for fsync: %w", err)
	}
	s.strategy = "wal_log"
	if fsync == "off" {
		s.strategy = "file_copy"
	}
	return nil
}

func keyOf(name string) int32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int32(h.Sum32())
}

// underBuildLock lets one process at a time build and sweep.
func (s *server) underBuildLock(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the maintenance database: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1, 0)`, lockBuild); err != nil {
		return fmt.Errorf("wait for other test runs: %w", err)
	}
	defer func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), `select pg_advisory_unlock($1, 0)`, lockBuild); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the lock goes with the connection
		}
	}()
	return fn(conn.Conn())
}

// sweep drops what dead processes left: copies whose run's lock is free, and
// templates nobody uses that are not ours.
func (s *server) sweep(ctx context.Context, conn *pgx.Conn) error {
	names, err := pg.All(ctx, conn, "list the test databases", pgx.RowTo[string], `
		select datname
		from pg_database
		where starts_with(datname, $1) or starts_with(datname, $2)`, clonePrefix, templatePrefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		class, key, ok := ownerLock(name)
		if name == s.template || !ok {
			continue
		}
		if err := dropIfFree(ctx, conn, name, class, key); err != nil {
			return err
		}
	}
	return nil
}

// ownerLock is the lock that somebody who needs the database holds.
func ownerLock(name string) (class, key int32, ok bool) {
	if strings.HasPrefix(name, templatePrefix) {
		return lockInUse, keyOf(strings.TrimSuffix(name, "_new")), true
	}
	run, _, _ := strings.Cut(strings.TrimPrefix(name, clonePrefix), "_")
	n, err := strconv.ParseInt(run, 10, 32)
	return lockRun, int32(n), err == nil
}

func dropIfFree(ctx context.Context, conn *pgx.Conn, name string, class, key int32) error {
	var free bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1, $2)`, class, key).Scan(&free); err != nil {
		return fmt.Errorf("look whether a test database is in use: %w", err)
	}
	if !free {
		return nil
	}
	if strings.HasPrefix(name, templatePrefix) {
		if _, err := conn.Exec(ctx, `alter database `+quoted(name)+` is_template false`); err != nil {
			return fmt.Errorf("release an old template: %w", err)
		}
	}
	_, err := conn.Exec(ctx, `drop database if exists `+quoted(name)+` with (force)`)
	if _, unlock := conn.Exec(ctx, `select pg_advisory_unlock($1, $2)`, class, key); err == nil {
		err = unlock
	}
	if err != nil {
		return fmt.Errorf("drop a left-over test database: %w", err)
	}
	return nil
}

// ensureTemplate builds the template under another name and renames it, so that
// a half-built one is never taken for whole.
func (s *server) ensureTemplate(ctx context.Context, conn *pgx.Conn) error {
	var there bool
	err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, s.template).Scan(&there)
	if err != nil {
		return fmt.Errorf("look for the template: %w", err)
	}
	if there {
		return nil
	}
	half := s.template + "_new"
	for _, sql := range []string{
		`drop database if exists ` + quoted(half) + ` with (force)`,
		`create database ` + quoted(half) + ` template template0`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the template: %w", err)
		}
	}
	if _, err := migrations.Apply(ctx, s.urlOf(half)); err != nil {
		return fmt.Errorf("build the template: %w", err)
	}
	for _, sql := range []string{
		`alter database ` + quoted(half) + ` allow_connections false`,
		`alter database ` + quoted(half) + ` rename to ` + quoted(s.template),
		`alter database ` + quoted(s.template) + ` is_template true`,
	} {
		if err := untilFree(ctx, conn, sql); err != nil {
			return fmt.Errorf("finish the template: %w", err)
		}
	}
	return nil
}

// untilFree repeats a statement while the database is "being accessed by other
// users" (55006): a closed session takes a moment to be gone.
func untilFree(ctx context.Context, conn *pgx.Conn, sql string) error {
	for {
		_, err := conn.Exec(ctx, sql)
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "55006" {
			return err
		}
		t := time.NewTimer(5 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}

// create makes a database of this run.
func (s *server) create(ctx context.Context, migrated bool) (string, error) {
	name := fmt.Sprintf("%s%d_%d", clonePrefix, s.run, s.n.Add(1))
	template := "template0"
	if migrated {
		template = s.template
	}
	sql := `create database ` + quoted(name) + ` template ` + quoted(template) + ` strategy ` + s.strategy
	_, err := s.admin.Exec(ctx, sql)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "3D000" { // somebody removed the template
		if err := s.rebuild(ctx); err != nil {
			return "", err
		}
		_, err = s.admin.Exec(ctx, sql)
	}
	if err != nil {
		return "", fmt.Errorf("copy the template: %w", err)
	}
	return name, nil
}

func (s *server) rebuild(ctx context.Context) error {
	s.build.Lock()
	defer s.build.Unlock()
	return s.underBuildLock(ctx, func(conn *pgx.Conn) error { return s.ensureTemplate(ctx, conn) })
}

// drop removes a database. Sessions that were just closed take a moment to be
// gone, and PostgreSQL would wait for them in steps of 100 ms.
func (s *server) drop(ctx context.Context, name string) error {
	for range 50 {
		var busy bool
		err := s.admin.QueryRow(ctx, `select exists (select from pg_stat_activity where datname = $1)`, name).Scan(&busy)
		if err != nil || !busy {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_, err := s.admin.Exec(ctx, `drop database if exists `+quoted(name)+` with (force)`)
	return err
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
