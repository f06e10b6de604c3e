// Package migrations owns the database's schema as numbered SQL files, the
// roles it is used under, and the way to apply them. cmd and the test set-up
// call it; it knows no product noun.
//
// Rule for every file after the first release: expand, release, contract. A
// released file is never edited, and the program of the release before must
// keep working on the schema of this one.
package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// FS holds the numbered SQL files.
//
//go:embed *.sql
var FS embed.FS

// Roles of the database. Each process connects as one that can do no more than
// it needs; only Apply acts as the owner.
const (
	RoleOwner  = "bareed_owner"
	RoleApp    = "bareed_app"
	RoleEngine = "bareed_engine"
	RoleBackup = "bareed_backup"
)

// Apply brings the database at ownerURL to the newest schema and returns how
// many files it applied. Several callers at once are harmless. The login must
// own the database and have CREATEROLE. PostgreSQL must be 15 or newer.
func Apply(ctx context.Context, ownerURL string) (int, error) {
	cfg, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return 0, fmt.Errorf("read the database address: %w", err)
	}
	if err := prepareRoles(ctx, cfg); err != nil {
		return 0, err
	}
	asOwner := cfg.Copy()
	asOwner.RuntimeParams["role"] = RoleOwner
	db := stdlib.OpenDB(*asOwner)
	defer db.Close()
	return up(ctx, db)
}

// up applies what is missing. One caller at a time: the lock is held on a
// connection of its own and asked for anew each second, because a statement that
// waits would hold up an index that is built concurrently.
func up(ctx context.Context, db *sql.DB) (int, error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return 0, fmt.Errorf("make the migration lock: %w", err)
	}
	held, err := db.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect to migrate: %w", err)
	}
	defer held.Close()
	if err := locker.SessionLock(ctx, held); err != nil {
		return 0, fmt.Errorf("wait for another migration to end: %w", err)
	}
	defer func() { _ = locker.SessionUnlock(context.WithoutCancel(ctx), held) }() // closing frees it too
	p, err := goose.NewProvider(goose.DialectPostgres, db, FS, goose.WithExcludeNames([]string{"schema.sql"}))
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	if err := noteFiles(ctx, held, p); err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", err)
	}
	return len(done), nil
}

// sqlRoles makes the roles that are missing. Roles belong to the whole server,
// so two databases may do this at once; the loser of that race sees
// unique_violation. The login becomes a member of each so that it can act as them.
const sqlRoles = `
do $$
declare r text;
begin
	perform pg_advisory_xact_lock(hashtext('bareed.roles'));
	if current_setting('server_version_num')::int < 150000 then
		raise exception 'PostgreSQL 15 or newer is needed, this is %', current_setting('server_version');
	end if;
	foreach r in array array['bareed_owner', 'bareed_app', 'bareed_engine', 'bareed_backup'] loop
		begin
			execute format('create role %I nologin', r);
		exception when duplicate_object or unique_violation then null;
		end;
		if not pg_has_role(current_user, r, 'member') then
			begin
				execute format('grant %I to current_user', r);
			exception when unique_violation then null;
			end;
		end if;
	end loop;
	begin
		alter role bareed_backup bypassrls;
	exception when insufficient_privilege then
		raise notice 'bareed_backup has no BYPASSRLS: a superuser must grant it before dumps are complete';
	end;
	execute format('grant create, connect on database %I to bareed_owner', current_database());
	grant usage, create on schema public to bareed_owner;
	grant usage on schema public to bareed_app, bareed_engine, bareed_backup;
	alter default privileges for role bareed_owner in schema public grant select on tables to bareed_backup;
	alter default privileges for role bareed_owner in schema public grant select on sequences to bareed_backup;
	grant select on all sequences in schema public to bareed_backup; -- pg_dump reads their positions
end $$`

func prepareRoles(ctx context.Context, cfg *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// The lock inside is this database's only; another database of the server
	// may be granting the same roles at this moment.
	for try := 0; ; try++ {
		_, err := conn.Exec(ctx, sqlRoles)
		var pe *pgconn.PgError
		if err != nil && try < 10 && errors.As(err, &pe) && pe.Code == "XX000" {
			continue
		}
		if err != nil {
			return fmt.Errorf("prepare the database roles: %w", err)
		}
		return nil
	}
}

// Newest is the number of the newest file: the schema this program needs.
func Newest() int {
	return len(sums())
}

// Files is how many there are: numbers may be left out.
func Files() int { return len(names()) }

// Hash names this state of the schema: it changes with any byte of any file.
func Hash() string {
	h := sha256.New()
	for _, sum := range sums() {
		fmt.Fprintln(h, sum)
	}
	fmt.Fprint(h, sqlRoles)
	return hex.EncodeToString(h.Sum(nil))[:16]
}
