package waves_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/waves"
	"bareed/internal/pg/pgtest"
)

// A chunk that is planned while the first wave is being bound does not pass for
// part of the wave.
func TestAChunkBesideTheFirstWave(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	for _, sql := range []string{ // it has not begun, and ten are planned
		`delete from run_wave where run_id = $1`,
		`update run set wave_to = null, planned = 10, plan_done = false where id = $1`,
		`update message set state = 'suppressed' where run_id = $1 and ordinal > 10`,
	} {
		if _, err := v.owner.Exec(t.Context(), sql, v.run); err != nil {
			t.Fatal(err)
		}
	}
	chunk, err := pgtest.Owner(t, v.Pool).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`update message set state = 'ready' where run_id = $1 and ordinal > 10`,
		`update run set planned = 100, plan_done = true where id = $1`,
	} {
		if _, err := chunk.Exec(t.Context(), sql, v.run); err != nil {
			t.Fatal(err)
		}
	}
	begun := make(chan error, 1)
	go func() {
		begun <- v.Pool.InWorkspace(t.Context(), v.Workspace, func(tx pgx.Tx) error { return waves.Begin(t.Context(), tx, v.Workspace, v.run, v.limits) })
	}()
	const waits = `select exists (select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted)`
	for waiting, end := false, time.Now().Add(30*time.Second); !waiting; {
		if err := v.owner.QueryRow(t.Context(), waits).Scan(&waiting); err != nil || time.Now().After(end) {
			t.Fatalf("it does not wait for the chunk: %v", err)
		}
	}
	if err := chunk.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	if n := v.reach(); n != 10 {
		t.Errorf("up to %d may be sent to, want the ten that were planned", n)
	}
	v.tick()
	v.want("with everybody planned", 1, 20, "sending")
}
