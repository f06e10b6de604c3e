// Package pgtest gives each test a migrated database of its own on a real
// PostgreSQL, opened under the program's own roles. Tests call New; a missing
// PostgreSQL fails them, it never skips them.
//
// The server is TEST_DATABASE_URL, or without it a private one that all test
// processes of this checkout share and that stops when the last has ended. A
// database is a copy of a template, which is built once per schema and day
// (partitions are made for the coming days).
//
// It knows migrations and no product noun; no program imports it.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
)

// New returns a fresh migrated database under the roles bareed_app and
// bareed_engine. It is dropped when the test ends.
func New(t testing.TB) *pg.Pool {
	t.Helper()
	return Open(t).Pool
}

// DB is a test's database.
type DB struct {
	// Pool works under the program's roles.
	Pool *pg.Pool
	// URL is the login that owns the database, for a program under test that
	// opens it itself.
	URL string
}

// Open is New for tests that also need the database's address.
func Open(t testing.TB) *DB {
	t.Helper()
	db := &DB{URL: Empty(t, true)}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	pool, err := pg.Open(ctx, pg.Config{URL: db.URL, MaxConns: 8})
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	t.Cleanup(pool.Close)
	db.Pool = pool
	return db
}

// Empty returns the address of a database of the test's own: with the schema
// when migrated, or as the server makes it, for tests of the migrations.
func Empty(t testing.TB, migrated bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s, err := shared()
	if err != nil {
		t.Fatalf("get PostgreSQL for the test: %v", err)
	}
	name, err := s.create(ctx, migrated)
	if err != nil {
		t.Fatalf("make the test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.drop(ctx, name); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return s.urlOf(name)
}

// Owner returns a connection of the owner of the pool's database, which may do
// what the program's roles may not: move the clock, look into every workspace.
func Owner(t testing.TB, pool *pg.Pool) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), URL(t, pool))
	if err != nil {
		t.Fatalf("connect as the owner: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = conn.Close(ctx) // the database is dropped next
	})
	if _, err := conn.Exec(t.Context(), `set role bareed_owner`); err != nil {
		t.Fatalf("act as the owner: %v", err)
	}
	return conn
}

// URL returns the address of the pool's database as its owner's login.
func URL(t testing.TB, pool *pg.Pool) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("get PostgreSQL for the test: %v", err)
	}
	return s.urlOf(pool.App().Config().ConnConfig.Database)
}

// CountDeadlocks returns how many deadlocks PostgreSQL has found in the pool's
// database since now, also those whose transactions were run again. It is to be
// asked when the pool is idle.
func CountDeadlocks(t testing.TB, pool *pg.Pool) func() int {
	t.Helper()
	conn := Owner(t, pool)
	read := func() (n int) {
		err := conn.QueryRow(t.Context(), `
			select deadlocks
			from pg_stat_database
			where datname = current_database()`).Scan(&n)
		if err != nil {
			t.Fatalf("count the deadlocks: %v", err)
		}
		return n
	}
	before := read()
	return func() int {
		t.Helper()
		for _, idle := range pool.App().AcquireAllIdle(t.Context()) { // a session tells of them now and then
			if _, err := idle.Exec(t.Context(), `select pg_stat_force_next_flush()`); err != nil {
				t.Errorf("have the deadlocks told: %v", err)
			}
			idle.Release()
		}
		return read() - before
	}
}

// MoveClock shifts the database's clock (bareed_now) so that it shows d more
// than the machine's. It takes effect with the next statement of every session.
func MoveClock(t testing.TB, pool *pg.Pool, d time.Duration) {
	t.Helper()
	conn := Owner(t, pool)
	if _, err := conn.Exec(t.Context(), `update clock_offset set shift = $1`, d); err != nil {
		t.Fatalf("move the clock: %v", err)
	}
}

// urlOf is the server's address with another database.
func (s *server) urlOf(database string) string {
	u := *s.url
	u.Path = "/" + database
	return u.String()
}

func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, fmt.Errorf("TEST_DATABASE_URL must begin with postgres://")
	}
	return u, nil
}
