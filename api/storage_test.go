package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

// fillDisk has PostgreSQL refuse every new row of the tables as it does when its
// disk is full (SQLSTATE 53100), until the returned function is called.
func fillDisk(t *testing.T, r *rig, tables ...string) (free func()) {
	t.Helper()
	owner := pgtest.Owner(t, r.pool)
	do := func(sql string) {
		t.Helper()
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	do(`create or replace function no_space() returns trigger language plpgsql as
		$$ begin raise exception 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end $$`)
	for _, table := range tables {
		do(`create trigger no_space before insert or update on ` + table + ` for each row execute function no_space()`)
	}
	return func() {
		for _, table := range tables {
			do(`drop trigger no_space on ` + table)
		}
	}
}

// A full disk: what cannot be kept is refused with 503 storage.full and says when
// to come again, nothing of it stays, and the same request is taken when there is
// space, without a restart.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000021")
	audience := r.audience(t, "List")
	upload := func() answer {
		return r.post(t, audience, "", "phone,name\n"+strings.Repeat("+966501234567,Sara\n", 20_000), "text/csv", header("Idempotency-Key", "the-same"))
	}
	stop := m.file(t, "inbound_text_stop.json")
	made := func() answer { return r.call(t, "POST", "/v1/audiences", map[string]any{"name": "Another"}) }
	rows := func(table string) (n int) {
		fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) from `+table).Scan(&n)
		})
		return n
	}

	free := fillDisk(t, r, "audience", "blob_chunk", "event", "suppression")
	for name, ask := range map[string]func() answer{"an audience": made, "an upload": upload} {
		a := ask()
		p := a.refused(t, http.StatusServiceUnavailable, "storage.full")
		if a.Header.Get("Retry-After") == "" || p.Detail == "" || strings.Contains(string(a.Body), "No space") || strings.Contains(string(a.Body), "base/1/2") {
			t.Errorf("%s: Retry-After %q, %s", name, a.Header.Get("Retry-After"), a.Body)
		}
	}
	m.post(t, stop).refused(t, http.StatusServiceUnavailable, "webhook.unavailable")
	m.check(t, effect{})
	for _, table := range []string{"blob_chunk", "import", "job"} {
		if n := rows(table); n != 0 {
			t.Errorf("%d rows of %s stay behind", n, table)
		}
	}

	free()
	made().ok(t, http.StatusCreated)
	upload().ok(t, http.StatusAccepted)
	m.post(t, stop).ok(t, http.StatusOK)
	m.check(t, effects()["inbound_text_stop.json"])
}
