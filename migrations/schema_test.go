package migrations_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg/pgtest"
	"bareed/migrations"
)

var update = flag.Bool("update", false, "rewrite schema.sql from the migrated database")

// schema.sql is the picture of what the migrations make, for reading: tables
// with their columns, keys and policies, in order of name. Nothing runs it.
func TestSchemaPictureIsTrue(t *testing.T) {
	t.Parallel()
	db := pgtest.Owner(t, pgtest.New(t))
	got := picture(t, db)
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil || string(want) != got {
		t.Errorf("schema.sql is not what the migrations make (%v): run go test ./migrations -run Picture -update", err)
	}
}

const sqlTables = `
select c.oid::regclass::text, c.oid::bigint, c.relkind = 'p', c.relrowsecurity, c.relforcerowsecurity,
    coalesce(pg_get_partkeydef(c.oid), '')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public'
  and c.relkind in ('r', 'p')
  and not c.relispartition
  and c.relname not in ('goose_db_version', 'schema_file')
order by 1`

type table struct {
	name        string
	oid         int64
	partitioned bool
	rls, forced bool
	partKey     string
}

func tables(t *testing.T, db *pgx.Conn) []table {
	t.Helper()
	rows, err := db.Query(t.Context(), sqlTables)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (x table, err error) {
		return x, r.Scan(&x.name, &x.oid, &x.partitioned, &x.rls, &x.forced, &x.partKey)
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("read the tables: %d, %v", len(list), err)
	}
	return list
}

func lines(t *testing.T, db *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(context.Background(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func picture(t *testing.T, db *pgx.Conn) string {
	var b strings.Builder
	b.WriteString("-- Generated from the migrations; see schema_test.go. For reading only.\n")
	for _, x := range tables(t, db) {
		fmt.Fprintf(&b, "\ncreate table %s (\n", x.name)
		body := lines(t, db, `select format('    %s %s%s%s', quote_ident(attname), format_type(atttypid, atttypmod),
				case when attnotnull then ' not null' else '' end,
				coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''))
			from pg_attribute a
			left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
			where a.attrelid = $1 and attnum > 0 and not attisdropped
			order by attnum`, x.oid)
		body = append(body, lines(t, db, `select '    ' || pg_get_constraintdef(oid) from pg_constraint
			where conrelid = $1 and contype <> 'n' order by contype = 'p' desc, conname`, x.oid)...)
		b.WriteString(strings.Join(body, ",\n") + "\n)")
		if x.partKey != "" {
			b.WriteString(" partition by " + strings.ToLower(x.partKey[:5]) + x.partKey[5:])
		}
		b.WriteString(";\n")
		for _, l := range lines(t, db, `select indexdef from pg_indexes i where schemaname = 'public' and tablename = $1
			and not exists (select from pg_constraint where conname = i.indexname) order by indexname`, x.name) {
			b.WriteString(strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(l, "public.", ""), " USING btree", "")) + ";\n")
		}
		if x.forced {
			b.WriteString("-- row-level security, forced:\n")
		}
		for _, l := range lines(t, db, `select format('--   %s for %s to %s%s%s', policyname, lower(cmd), array_to_string(roles, ', '),
				coalesce(' using ' || qual, ''), coalesce(' with check ' || with_check, ''))
			from pg_policies where schemaname = 'public' and tablename = $1 and policyname <> 'owner_all' order by policyname`, x.name) {
			b.WriteString(l + "\n")
		}
		for _, l := range lines(t, db, `select format('-- %s may %s', grantee, string_agg(lower(privilege_type), ', ' order by privilege_type))
			from information_schema.role_table_grants where table_name = $1 and grantee in ('bareed_app', 'bareed_engine')
			group by grantee order by grantee`, x.name) {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// A table with a workspace is fenced, and its partitions too. The others are
// listed here with the reason why they are not.
func TestEveryTableOfAWorkspaceIsFenced(t *testing.T) {
	t.Parallel()
	db := pgtest.Owner(t, pgtest.New(t))
	open := map[string]string{
		"organisation": "names only", "user_account": "a person is not a workspace's", "sign_in_failure": "hashes",
		"system_key": "the engine's", "ledger_mark": "a position", "high_water": "a position", "scheduler_leader": "the engine's", "portfolio": "shared by workspaces; the engine's",
		"place": "keyed hashes, shared by workspaces; the engine's", "portfolio_share": "shared by workspaces; the engine's", "delivery_seen": "hashes of bodies",
		"meta_usage":  "counts of calls per account of Meta, shared by workspaces; the engine's",
		"stray_event": "belongs to no workspace; sealed", "clock_offset": "the clock", "partitioned": "names of tables",
	}
	for _, x := range tables(t, db) {
		has := len(lines(t, db, `select 'x' from pg_attribute where attrelid = $1 and attname = 'workspace_id' and attnotnull`, x.oid)) == 1
		_, listed := open[x.name]
		switch {
		case x.rls && x.forced:
		case has:
			t.Errorf("%s has a workspace and no forced row-level security", x.name)
		case !listed:
			t.Errorf("%s has no row-level security and no reason listed here", x.name)
		}
	}
	loose := lines(t, db, `select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relispartition and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)`)
	if len(loose) > 0 {
		t.Errorf("partitions without forced row-level security: %v", loose)
	}
}

// A query that forgot its workspace must fail, not find nothing. Every policy of
// the application's role asks app_workspace() (or, for sessions, app_user()),
// which raises when nothing was set; a table with a row shows that it does.
func TestAQueryWithoutAWorkspaceFails(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	db := pgtest.Owner(t, pool)
	loose := lines(t, db, `select tablename || '.' || policyname from pg_policies
		where schemaname = 'public' and 'bareed_app' = any (roles)
		and (coalesce(qual, '') || coalesce(with_check, '')) not like '%app_workspace()%' and tablename <> 'session'`)
	if len(loose) > 0 {
		t.Errorf("policies that do not ask for the workspace: %v", loose)
	}
	_, err := db.Exec(t.Context(), `
		with o as (insert into organisation (id, name) values (gen_random_uuid(), 'Acme') returning id)
		insert into workspace (workspace_id, organisation_id, name, data_key) select gen_random_uuid(), id, 'Main', '' from o`)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := pool.App().QueryRow(t.Context(), `select count(*) from workspace`).Scan(&n); err == nil {
		t.Errorf("workspace answered %d rows without a workspace", n)
	}
}

// Several programs may migrate one database at once.
func TestMigrationsRunOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t, false)
	const starters = 4
	applied := make(chan int, starters)
	for range starters {
		go func() {
			n, err := apply(t.Context(), url)
			if err != nil {
				t.Errorf("migrate: %v", err)
			}
			applied <- n
		}()
	}
	total := 0
	for range starters {
		total += <-applied
	}
	if files := countFiles(t); total != files {
		t.Errorf("%d files were applied by all together, want each of %d once", total, files)
	}
}

// A number says nothing about what was behind it when it was applied: a
// database made by other files is refused, before anything is done to it and
// before a process starts on it.
func TestADatabaseOfOtherFilesIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct{ sql, file string }{
		"another form of a file":   {`update schema_file set sha256 = 'other' where number = 3`, "0003_contacts.sql"},
		"from before it was noted": {`drop table schema_file`, "0001_base.sql"},
		"older, and another form":  {`delete from goose_db_version where version_id > 3; update schema_file set sha256 = '' where number = 2`, "0002_accounts.sql"},
		"a file that nobody noted": {`delete from schema_file where number = 6`, "0006_messages.sql"},
		"newer, and another form":  {`insert into goose_db_version (version_id, is_applied) values (99, true); update schema_file set sha256 = '' where number = 1`, "0001_base.sql"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t, true)
			db, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close(context.Background())
			if _, err := db.Exec(t.Context(), "set role bareed_owner; "+change.sql); err != nil {
				t.Fatal(err)
			}
			_, migrated := apply(t.Context(), url)
			for what, err := range map[string]error{"Check": migrations.Check(t.Context(), db), "Apply": migrated} {
				var changed *migrations.ChangedError
				if !errors.As(err, &changed) || changed.File != change.file {
					t.Errorf("%s: %v, want %s to be named", what, err, change.file)
				}
			}
		})
	}
}

// A database that a newer program migrated still serves this one.
func TestANewerSchemaServes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	db := pgtest.Owner(t, pool)
	_, err := db.Exec(t.Context(), `insert into goose_db_version (version_id, is_applied) values (99, true);
		insert into schema_file (number, sha256) values (99, 'x')`)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrations.Check(t.Context(), pool.App()); err != nil {
		t.Error(err)
	}
}
