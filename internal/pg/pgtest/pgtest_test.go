package pgtest

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestEachTestHasItsOwn(t *testing.T) {
	t.Parallel()
	for i := range 3 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			pool := New(t)
			var user, other string
			if err := pool.App().QueryRow(t.Context(), `select current_user`).Scan(&user); err != nil {
				t.Fatal(err)
			}
			if err := pool.Engine().QueryRow(t.Context(), `select current_user`).Scan(&other); err != nil {
				t.Fatal(err)
			}
			if user != "bareed_app" || other != "bareed_engine" {
				t.Errorf("roles %s and %s", user, other)
			}
			var super bool
			err := pool.App().QueryRow(t.Context(), `select rolsuper from pg_roles where rolname = session_user`).Scan(&super)
			if err != nil || super {
				t.Errorf("superuser %v, %v: row-level security would not be tested", super, err)
			}
		})
	}
}

func TestMoveClock(t *testing.T) {
	t.Parallel()
	pool := New(t)
	MoveClock(t, pool, 48*time.Hour)
	var at time.Time
	if err := pool.App().QueryRow(t.Context(), `select bareed_now()`).Scan(&at); err != nil {
		t.Fatal(err)
	}
	if d := time.Until(at); d < 47*time.Hour || d > 49*time.Hour {
		t.Errorf("the clock is %s ahead", d)
	}
}

func TestEmptyHasNoTables(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), Empty(t, false))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), `select count(*) from pg_tables where schemaname = 'public'`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d tables, %v", n, err)
	}
}

func TestSweepDropsWhatDeadRunsLeft(t *testing.T) {
	t.Parallel()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	const dead = clonePrefix + "7_1"                       // nobody holds run 7
	const half = templatePrefix + "0000_20000101_new"      // a build that was killed
	live := clonePrefix + strconv.Itoa(int(s.run)) + "_x1" // this run
	for _, name := range []string{dead, half, live} {
		if _, err := s.admin.Exec(t.Context(), `create database `+quoted(name)+` template template0 strategy `+s.strategy); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _, _ = s.admin.Exec(context.Background(), `drop database if exists `+quoted(live)) })
	err = s.underBuildLock(t.Context(), func(conn *pgx.Conn) error { return s.sweep(t.Context(), conn) })
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.admin.Query(t.Context(), `select datname from pg_database`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := " " + strings.Join(names, " ") + " "
	if strings.Contains(all, dead) || strings.Contains(all, half) {
		t.Errorf("left-overs stay: %s", all)
	}
	if !strings.Contains(all, live) || !strings.Contains(all, " "+s.template+" ") {
		t.Errorf("the sweep took a database in use: %s", all)
	}
}

func TestTemplateIsRebuiltWhenRemoved(t *testing.T) {
	t.Parallel()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	mine := &server{url: s.url, admin: s.admin, run: s.run, strategy: s.strategy}
	mine.template = templatePrefix + "test_" + strconv.Itoa(int(s.run))
	mine.n.Store(1 << 20)
	name, err := mine.create(t.Context(), true) // there is no such template yet
	if err != nil {
		t.Fatal(err)
	}
	if err := mine.drop(t.Context(), name); err != nil {
		t.Error(err)
	}
	err = s.underBuildLock(t.Context(), func(conn *pgx.Conn) error { return s.sweep(t.Context(), conn) })
	if err != nil {
		t.Error(err)
	}
}

func BenchmarkNew(b *testing.B) {
	if _, err := shared(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		New(b)
	}
}
