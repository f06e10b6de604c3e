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

// Every refusal is of one kind: repeatable and full ones are momentary, unfit
// ones particular, and none is both.
func TestFaults(t *testing.T) {
	t.Parallel()
	code := func(c string) error { return &pgconn.PgError{Code: c} }
	for _, tt := range []struct {
		err                                            error
		momentary, repeatable, full, particular, unfit bool
	}{
		{err: nil},
		{err: errors.New("unreadable")},
		{err: pgx.ErrNoRows},
		{err: io.ErrUnexpectedEOF, momentary: true},
		{err: context.DeadlineExceeded, momentary: true},
		{err: code("40001"), momentary: true, repeatable: true},
		{err: code("40P01"), momentary: true, repeatable: true},
		{err: code("40003"), momentary: true},
		{err: code("53100"), momentary: true, full: true},
		{err: code("53200"), momentary: true, full: true},
		{err: code("53300"), momentary: true, full: true},
		{err: code("08006"), momentary: true},
		{err: code("25006"), momentary: true},
		{err: code("25P03"), momentary: true},
		{err: code("55006"), momentary: true},
		{err: code("55P03"), momentary: true},
		{err: code("57014"), momentary: true},
		{err: code("57P01"), momentary: true},
		{err: code("22P05"), particular: true, unfit: true},
		{err: code("23505"), particular: true, unfit: true},
		{err: code("54000"), particular: true, unfit: true},
		{err: code("42703"), particular: true},
		{err: code("55000"), particular: true},
		{err: code("25P02"), particular: true},
		{err: code("P0001"), particular: true},
		{err: code("XX001"), particular: true},
		{err: code(""), particular: true},
	} {
		for _, p := range []struct {
			name string
			of   func(error) bool
			want bool
		}{
			{"momentary", pg.Momentary, tt.momentary},
			{"repeatable", pg.Repeatable, tt.repeatable},
			{"full", pg.Full, tt.full},
			{"particular", pg.Particular, tt.particular},
			{"unfit", pg.Unfit, tt.unfit},
		} {
			if p.of(tt.err) != p.want {
				t.Errorf("%v: %s %v", tt.err, p.name, !p.want)
			}
			if tt.err != nil && p.of(fmt.Errorf("do it: %w", tt.err)) != p.want {
				t.Errorf("%v, wrapped: %s %v", tt.err, p.name, !p.want)
			}
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
