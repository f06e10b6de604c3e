package deploy_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/devenv/software"
	"bareed/internal/fixture"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/internal/seal"
	"bareed/migrations"
)

// A backup taken by the backup's role, restored into an empty database, is the
// same database: rows, fences, roles, keys. The commands are those of
// docs/OPERATE.md.
func TestBackupIsRestored(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	b := fixture.NewBroadcast(t, db.Pool)
	b.AddPeople(t, b.Audience, 20)
	b.Launch(t, "Before the disaster")
	other := fixture.NewBroadcast(t, db.Pool)
	other.AddPeople(t, other.Audience, 3)

	file := filepath.Join(t.TempDir(), "bareed.dump")
	program(t, db.URL, "pg_dump", "--role=bareed_backup", "--format=custom", "--file="+file, "--dbname="+db.URL)

	restored := pgtest.Empty(t, false)
	owner := connect(t, restored)
	if _, err := owner.Exec(t.Context(), `grant usage, create on schema public to bareed_owner`); err != nil {
		t.Fatal(err)
	}
	program(t, restored, "pg_restore", "--exit-on-error", "--dbname="+restored, file)

	t.Run("every row is there", func(t *testing.T) { sameRows(t, db.URL, restored) })
	t.Run("the schema is the same to the last grant", func(t *testing.T) {
		want, got := schemaOf(t, db.URL), schemaOf(t, restored)
		if want != got {
			t.Errorf("it differs, first in: %s", firstDifference(want, got))
		}
		for _, must := range []string{"FORCE ROW LEVEL SECURITY", "CREATE POLICY own_workspace", "TO bareed_engine", "TO bareed_backup"} {
			if !strings.Contains(got, must) {
				t.Errorf("without %s", must)
			}
		}
	})
	t.Run("the program takes it", func(t *testing.T) { programTakes(t, restored) })
	t.Run("workspaces are fenced", func(t *testing.T) { fenced(t, restored, b, other) })
	t.Run("the backup's role writes nothing", func(t *testing.T) {
		_, err := connectAs(t, restored, migrations.RoleBackup).Exec(t.Context(), `delete from contact`)
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("it may delete: %v", err)
		}
	})
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the database is dropped next
	return conn
}

func connectAs(t *testing.T, url, role string) *pgx.Conn {
	t.Helper()
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), `set role `+role); err != nil {
		t.Fatal(err)
	}
	return conn
}

// program runs one of PostgreSQL's programs and returns what it printed.
func program(t *testing.T, url, name string, args ...string) string {
	t.Helper()
	var version int
	if err := connect(t, url).QueryRow(t.Context(), `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		t.Fatal(err)
	}
	path, err := software.PostgresProgram(name, version/10000)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// restrict holds the newer pg_dump's random tokens.
var restrict = regexp.MustCompile(`(?m)^\\(un)?restrict .*$`)

func schemaOf(t *testing.T, url string) string {
	t.Helper()
	return restrict.ReplaceAllString(program(t, url, "pg_dump", "--role=bareed_backup", "--schema-only", "--dbname="+url), "")
}

func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return fmt.Sprintf("%q, not %q", right[i], left[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(right), len(left))
}

const sqlTables = `
select c.oid::regclass::text
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
order by 1`

// sameRows compares every table, partitions one by one, by count and content.
func sameRows(t *testing.T, want, got string) {
	t.Helper()
	before, after := contents(t, want), contents(t, got)
	rows := 0
	for table, c := range before {
		if after[table] != c {
			t.Errorf("%s: %v, before %v", table, after[table], c)
		}
		rows += c.rows
	}
	if len(before) != len(after) || len(before) < 30 || rows < 60 {
		t.Errorf("%d tables, before %d, with %d rows", len(after), len(before), rows)
	}
}

type content struct {
	rows int
	hash string
}

func contents(t *testing.T, url string) map[string]content {
	t.Helper()
	conn := connectAs(t, url, migrations.RoleBackup)
	rows, err := conn.Query(t.Context(), sqlTables)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]content{}
	for _, table := range tables {
		var c content
		err := conn.QueryRow(t.Context(), `select count(*), coalesce(md5(string_agg(x::text, '' order by x::text)), '') from `+table+` x`).Scan(&c.rows, &c.hash)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		out[table] = c
	}
	return out
}

// programTakes opens the database as a process does when it starts: schema,
// roles, and the keys that the master key opens.
func programTakes(t *testing.T, url string) {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: url, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := migrations.Check(t.Context(), pool.Engine()); err != nil {
		t.Error(err)
	}
	if _, err := accounts.OpenVault(t.Context(), pool, fixture.Ring(t)); err != nil {
		t.Errorf("the master key does not open it: %v", err)
	}
	wrong, err := seal.NewRing(map[uint16][]byte{1: []byte("another key of thirty-two bytes.")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := accounts.OpenVault(t.Context(), pool, wrong); err == nil {
		t.Error("another master key opens it")
	}
	if n, err := migrations.Apply(t.Context(), url); n != 0 || err != nil {
		t.Errorf("migrating again applied %d files: %v", n, err)
	}
}

func fenced(t *testing.T, url string, a, b *fixture.Broadcast) {
	t.Helper()
	conn := connectAs(t, url, migrations.RoleApp)
	count := func(ws any) (n int, err error) {
		err = pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if ws != nil {
				if _, err := tx.Exec(t.Context(), pg.SQLWorkspace, ws); err != nil {
					return err
				}
			}
			return tx.QueryRow(t.Context(), `select count(*) from contact`).Scan(&n)
		})
		return n, err
	}
	if n, err := count(nil); err == nil {
		t.Errorf("without a workspace %d contacts are seen", n)
	}
	first, err1 := count(a.Workspace)
	second, err2 := count(b.Workspace)
	if err1 != nil || err2 != nil || first < 20 || second < 3 || first == second {
		t.Errorf("the workspaces see %d and %d contacts, %v %v", first, second, err1, err2)
	}
}
