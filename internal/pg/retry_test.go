package pg_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

// What PostgreSQL asks to be repeated is, three times at most and after a moment;
// anything else is not. The transaction that fails leaves nothing.
func TestSerializationFailuresAndDeadlocksAreRepeated(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	fail := func(tx pgx.Tx, code string) error {
		_, err := tx.Exec(t.Context(), fmt.Sprintf(`do $$ begin raise exception 'forced' using errcode = '%s'; end $$`, code))
		return err
	}
	for _, tt := range []struct {
		code  string
		fails int // times in a row
		tries int
		fine  bool
	}{
		{"40001", 1, 2, true}, {"40P01", 3, 4, true}, {"40001", 99, 4, false}, {"23505", 99, 1, false}, {"55P03", 99, 1, false}, {"53100", 99, 1, false},
	} {
		for name, run := range map[string]func(func(pgx.Tx) error) error{
			"workspace": func(fn func(pgx.Tx) error) error { return pool.InWorkspace(t.Context(), id.New[id.Workspace](), fn) },
			"ledger":    func(fn func(pgx.Tx) error) error { return pool.InLedger(t.Context(), id.New[id.Workspace](), fn) },
			"engine":    func(fn func(pgx.Tx) error) error { return pool.InEngine(t.Context(), fn) },
		} {
			tries, began := 0, time.Now()
			err := run(func(tx pgx.Tx) error {
				if tries++; tries <= tt.fails {
					return fail(tx, tt.code)
				}
				return nil
			})
			if tries != tt.tries || (err == nil) != tt.fine {
				t.Errorf("%s in %s: %d tries, %v; want %d", tt.code, name, tries, err, tt.tries)
			}
			if pg.Repeatable(err) && time.Since(began) < 15*time.Millisecond {
				t.Errorf("%s in %s: no pause between the tries", tt.code, name)
			}
		}
	}
}
