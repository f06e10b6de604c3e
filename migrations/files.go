package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// ChangedError tells that a database was not made by the files of this program:
// the number it counts is right, the tables behind it are not. Nothing was
// touched. It is only mended by the program the database belongs to, or by
// beginning anew.
type ChangedError struct {
	File string // the first that differs
}

// Error says what to do about it.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("this database was migrated by another form of %s than this program's: "+
		"use the program that made it, or an empty database", e.File)
}

// names lists the SQL files in the order of their numbers.
func names() []string {
	list, err := fs.Glob(FS, "0*.sql")
	if err != nil {
		panic("migrations: the pattern is a constant: " + err.Error())
	}
	return list
}

// sums are the files' SHA-256 at the places of their numbers, which begin at 1;
// a number that no file has is empty.
func sums() []string {
	var list []string
	for _, n := range names() {
		b, err := FS.ReadFile(n)
		if err != nil {
			panic("migrations: embedded file: " + err.Error())
		}
		sum := sha256.Sum256(b)
		for len(list) < numberOf(n)-1 {
			list = append(list, "")
		}
		list = append(list, hex.EncodeToString(sum[:]))
	}
	return list
}

// numberOf is the number a file's name begins with.
func numberOf(name string) int {
	n, err := strconv.Atoi(name[:4])
	if err != nil {
		panic("migrations: a file without a number: " + name)
	}
	return n
}

// fileOf is the name of the file with that number.
func fileOf(number int) string {
	for _, n := range names() {
		if numberOf(n) == number {
			return n
		}
	}
	return strconv.Itoa(number)
}

// What was applied, beside goose's own table, which knows only numbers.
const sqlFiles = `
create table if not exists schema_file (
	number  int primary key,
	sha256  text not null
);
grant select on schema_file to bareed_app, bareed_engine, bareed_backup`

const (
	sqlNoteFile = `
insert into schema_file (number, sha256) values ($1, $2)
on conflict (number) do update set sha256 = excluded.sha256`
	sqlFileNoted = `select sha256 from schema_file where number = $1`
)

// noteFiles compares the applied files with those of this program, and notes
// the ones that are about to be applied: a crash in between leaves a note
// without a file, and the next caller writes it anew.
func noteFiles(ctx context.Context, db *sql.Conn, p *goose.Provider) error {
	files, err := p.Status(ctx)
	if err != nil {
		return fmt.Errorf("ask which migrations were applied: %w", err)
	}
	if _, err := db.ExecContext(ctx, sqlFiles); err != nil {
		return fmt.Errorf("make the table of applied files: %w", err)
	}
	sums := sums()
	for _, f := range files {
		sum := sums[f.Source.Version-1]
		if f.State != goose.StateApplied {
			if _, err := db.ExecContext(ctx, sqlNoteFile, f.Source.Version, sum); err != nil {
				return fmt.Errorf("note a migration: %w", err)
			}
			continue
		}
		var noted string
		err := db.QueryRowContext(ctx, sqlFileNoted, f.Source.Version).Scan(&noted)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("compare the applied migrations: %w", err)
		}
		if noted != sum {
			return &ChangedError{File: f.Source.Path}
		}
	}
	return nil
}

const (
	sqlVersion = `select coalesce(max(version_id), 0) from goose_db_version where is_applied`
	sqlChanged = `
select min(x.number)
from unnest($1::text[]) with ordinality x(sha256, number)
where x.sha256 <> ''
  and not exists (select from schema_file f where f.number = x.number and f.sha256 = x.sha256)`
)

// querier is a connection or a pool.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Check returns a *ChangedError when the database's schema is not this program's,
// and another error when it is older. A newer one is fine:
// migrations expand before they contract.
func Check(ctx context.Context, db querier) error {
	var version int
	if err := db.QueryRow(ctx, sqlVersion).Scan(&version); err != nil {
		return fmt.Errorf("ask for the schema's version (has bareed migrate been run?): %w", err)
	}
	if err := compare(ctx, db, sums()[:min(version, Newest())]); err != nil {
		return err
	}
	if version < Newest() {
		return fmt.Errorf("the database's schema is at %d and this program needs %d: run bareed migrate", version, Newest())
	}
	return nil
}

func compare(ctx context.Context, db querier, applied []string) error {
	var first *int
	err := db.QueryRow(ctx, sqlChanged, applied).Scan(&first)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "42P01" { // no such table: from before files were noted
		return &ChangedError{File: names()[0]}
	}
	if err != nil {
		return fmt.Errorf("compare the applied migrations: %w", err)
	}
	if first != nil {
		return &ChangedError{File: fileOf(*first)}
	}
	return nil
}
