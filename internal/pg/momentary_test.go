package pg_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

func TestMomentary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("unreadable"), false},
		{pgx.ErrNoRows, false},
		{&pgconn.PgError{Code: "23505"}, false},
		{&pgconn.PgError{Code: "22P05"}, false},
		{&pgconn.PgError{Code: "42703"}, false},
		{&pgconn.PgError{Code: "XX001"}, false},
		{&pgconn.PgError{Code: "55P03"}, true},
		{&pgconn.PgError{Code: "55000"}, false},
		{&pgconn.PgError{Code: "40001"}, true},
		{&pgconn.PgError{Code: "40P01"}, true},
		{&pgconn.PgError{Code: "53300"}, true},
		{&pgconn.PgError{Code: "57014"}, true},
		{&pgconn.PgError{Code: "57P01"}, true},
		{&pgconn.PgError{Code: "25006"}, true},
		{&pgconn.PgError{Code: "08006"}, true},
		{io.ErrUnexpectedEOF, true},
		{context.DeadlineExceeded, true},
	} {
		if got := pg.Momentary(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
		if tt.err != nil && pg.Momentary(fmt.Errorf("do it: %w", tt.err)) != tt.want {
			t.Errorf("%v, wrapped: %v", tt.err, !tt.want)
		}
	}
}

// What a real server and driver say: the connection breaks under a transaction,
// nobody is there, and a statement runs out of time.
func TestMomentaryForReal(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	conn, err := pool.Direct(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.PgConn().Conn().Close() // as a broken network would
	if _, err = tx.Exec(t.Context(), `select 1`); !pg.Momentary(err) {
		t.Errorf("broken: %v", err)
	}
	if _, err = conn.Exec(t.Context(), `select 1`); !pg.Momentary(err) {
		t.Errorf("broken before: %v", err)
	}
	if _, err = tx.Exec(t.Context(), `select 1`); !pg.Momentary(err) {
		t.Errorf("broken before, in the transaction: %v", err)
	}
	_, err = pg.Open(t.Context(), pg.Config{URL: "postgres://nobody@127.0.0.1:1/none?sslmode=disable"})
	if !pg.Momentary(err) {
		t.Errorf("nobody there: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err = pool.Engine().Exec(short, `select pg_sleep(10)`); !pg.Momentary(err) {
		t.Errorf("out of time: %v", err)
	}
	if _, err = pool.Engine().Exec(t.Context(), `select 1 / 0`); err == nil || pg.Momentary(err) {
		t.Errorf("a wrong statement: %v", err)
	}
}
