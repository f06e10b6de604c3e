//go:build unix

package main_test

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/devenv/software"
	"bareed/internal/pg/pgtest"
)

// A backup is taken in the middle of a campaign, sending goes on, the machine
// dies, and the backup takes the database's place while Redis still holds its
// tasks. Nobody says anything to the program. It holds everything and says why;
// when an operator has released it, it goes on with those who were not handed
// over, and nobody is messaged twice.
func TestRestoredBackupIsNoticed(t *testing.T) {
	t.Parallel()
	l := start(t, 1, 1)
	const people = 1200
	campaign, run := l.running("Restored", 0, people, 3000)
	file := filepath.Join(t.TempDir(), "bareed.dump")
	l.program("pg_dump", "--role=bareed_backup", "--format=custom", "--file="+file, "--dbname="+l.DatabaseURL)
	known := l.summary().ByRun[run]
	l.until("more to be sent", func() bool { return l.summary().ByRun[run] > known+100 })
	for _, name := range []string{"scheduler1", "worker1", "api"} {
		l.Process(name).Signal(syscall.SIGKILL)
		<-l.Process(name).Done()
	}
	restored := pgtest.Empty(t, false)
	conn, err := pgx.Connect(t.Context(), restored)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `grant usage, create on schema public to bareed_owner`)
	_ = conn.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.program("pg_restore", "--exit-on-error", "--dbname="+restored, file)
	l.DatabaseURL = restored
	sent := l.summary().ByRun[run]
	if sent >= people {
		t.Fatalf("all %d were sent before it died", sent)
	}
	for _, name := range []string{"worker1", "api", "scheduler1"} { // the worker first: nobody has looked when it claims
		if err := l.StartProcess(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if name != "scheduler1" {
			if err := l.WaitReady(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.until("the hold", func() bool {
		return slices.ContainsFunc(l.report(campaign).Stops, func(s struct{ Scope, Reason, Measured string }) bool {
			return s.Scope == "workspace" && s.Reason == "database_behind" && strings.Contains(s.Measured, " < ")
		})
	})
	l.until("the scheduler to say so", func() bool { return strings.Contains(l.ready("scheduler1"), "held until bareed admin release") })
	l.still(run, 2*time.Second)
	if now := l.summary(); now.ByRun[run] != sent || now.DuplicateOrdinals+now.DuplicateRecipients > 0 {
		t.Errorf("%d left from the restored copy: %+v", now.ByRun[run]-sent, now.Duplicates)
	}
	l.until("the picture", func() bool {
		r := l.report(campaign)
		return int64(r.Accepted+r.Unknown+r.Sending+r.FailedTotal) >= sent
	})
	l.admin("release", `"released":1`)
	var r report
	l.until("the rest", func() bool { r = l.report(campaign); return r.Planned && r.Ready+r.Sending == 0 })
	s := l.summary()
	if s.DuplicateOrdinals+s.DuplicateRecipients > 0 {
		t.Errorf("somebody was messaged twice: %+v", s.Duplicates)
	}
	if s.ByRun[run] <= sent || r.Unknown == 0 || r.Total != people || int64(r.Accepted+r.Unknown) < s.ByRun[run] {
		t.Errorf("of %d, %d before the end: %d by the journal, %+v", people, sent, s.ByRun[run], r)
	}
	l.until("the scheduler to be ready", func() bool { return strings.Contains(l.ready("scheduler1"), `"ready"`) })
	if got := l.certificate(campaign).Totals; got.MoreThanOnce != 0 {
		t.Errorf("the certificate says %+v", got)
	}
}

// ready is what a process's /readyz says.
func (l *life) ready(process string) string {
	l.t.Helper()
	res, err := l.HTTP.Get(l.Metrics(process) + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if res.StatusCode == http.StatusOK {
		return `"ready"`
	}
	return string(said)
}

// program runs one of PostgreSQL's programs of the server's version.
func (l *life) program(name string, args ...string) {
	l.t.Helper()
	conn, err := pgx.Connect(l.t.Context(), l.DatabaseURL)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(l.t.Context())) }()
	var version int
	if err := conn.QueryRow(l.t.Context(), `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		l.t.Fatal(err)
	}
	path, err := software.PostgresProgram(name, version/10000)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
