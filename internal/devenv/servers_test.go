//go:build unix

package devenv

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"bareed/internal/devenv/software"
)

// inOwnCheckout makes the working directory a checkout of its own, so that its
// servers are nobody else's, and wipes them afterwards.
func inOwnCheckout(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module bareed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	for _, v := range []string{"DATABASE_URL", "REDIS_URL", "TEST_DATABASE_URL", "TEST_REDIS_URL"} {
		t.Setenv(v, "")
	}
	t.Cleanup(func() {
		var out bytes.Buffer
		if err := Reset(context.Background(), &out, Demo, Test); err != nil {
			t.Errorf("reset: %v", err)
		}
		state, err := stateDir()
		if err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(state, "*")); len(left) != 1 || filepath.Base(left[0]) != checkoutNote {
			t.Errorf("reset left %v", left)
		}
		os.RemoveAll(state)
		os.RemoveAll("/dev/shm/bareed-" + strconv.Itoa(os.Getuid()) + "-" + stateKey(state))
	})
}

func query(t *testing.T, addr, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var v string
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func postmaster(t *testing.T, m Mode) int {
	t.Helper()
	state, err := stateDir()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(state, string(m), "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestDemoKeepsItsData(t *testing.T) {
	inOwnCheckout(t)
	var out bytes.Buffer
	env, err := Up(t.Context(), Options{Mode: Demo, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	if strings.Count(out.String(), "\n") != 2 || strings.TrimSpace(out.String()) != env.Describe() {
		t.Errorf("said %q, describes %q", out.String(), env.Describe())
	}
	for sql, want := range map[string]string{
		`show fsync`: "on", `show synchronous_commit`: "on", `show listen_addresses`: "",
		`select current_database()::text`: "bareed",
		`select concat(rolsuper, rolcreaterole, rolcreatedb) from pg_roles where rolname = current_user`: "ftt",
	} {
		if got := query(t, env.DatabaseURL, sql); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
	opt, err := redis.ParseURL(env.RedisURL)
	if err != nil || PingRedis(t.Context(), opt) != nil {
		t.Errorf("redis at %s: %v", env.RedisURL, err)
	}
	conn, err := pgx.Connect(t.Context(), env.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `create table kept as select 'here' as v`); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	pid := postmaster(t, Demo)
	env.Close()
	env.Close()
	if running(pid) || PingRedis(t.Context(), opt) == nil {
		t.Error("a server outlived Close")
	}
	again, err := Up(t.Context(), Options{Mode: Demo, NoRedis: true})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := query(t, again.DatabaseURL, `select v from kept`); got != "here" {
		t.Errorf("got %q", got)
	}
	if got := again.DatabaseURL; got != env.DatabaseURL {
		t.Errorf("the address changed from %s to %s", env.DatabaseURL, got)
	}
}

// TestHelperHoldsServers is the user that gets killed in the next test.
func TestHelperHoldsServers(t *testing.T) {
	if helperArgs(t) == nil {
		return
	}
	env, err := Up(t.Context(), Options{Mode: Test, Out: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	os.Stdout.WriteString("up\n")
	select {}
}

func TestKilledUserAndKilledWatcher(t *testing.T) {
	inOwnCheckout(t)
	user := asHelper(t, "TestHelperHoldsServers", "x")
	out, err := user.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := user.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 4096)
	for got := ""; !strings.Contains(got, "up\n"); {
		n, err := out.Read(said)
		if err != nil {
			t.Fatalf("the user said %q: %v", got, err)
		}
		got += string(said[:n])
	}
	pid := postmaster(t, Test)
	if err := user.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = user.Wait() // it was killed
	eventually(t, "postgres gone with its killed user", func() bool { return !running(pid) })

	env, err := Up(t.Context(), Options{Mode: Test, NoRedis: true})
	if err != nil {
		t.Fatal(err)
	}
	orphan := postmaster(t, Test)
	killWatcherOf(t, orphan)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		env.Close() // nobody is left to notice
	}()
	defer func() { <-closed }()
	second, err := Up(t.Context(), Options{Mode: Test, NoRedis: true})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if running(orphan) || postmaster(t, Test) == orphan {
		t.Error("the server without a watcher still runs")
	}
}

// killWatcherOf ends the watcher: the other process whose command line names
// the run directory of this checkout.
func killWatcherOf(t *testing.T, postmaster int) {
	t.Helper()
	state, err := stateDir()
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for pid, args := range processes(t) {
		if pid != postmaster && strings.HasPrefix(args, "/bin/sh") && strings.Contains(args, filepath.Join(state, "test", "postgres")) {
			killed++
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if killed != 1 {
		t.Fatalf("%d watchers", killed)
	}
}

// processes is the command lines of all processes.
func processes(t *testing.T) map[int]string {
	t.Helper()
	all := map[int]string{}
	if files, _ := filepath.Glob("/proc/[0-9]*/cmdline"); len(files) > 0 {
		for _, f := range files {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			args, _ := os.ReadFile(f) // it may have ended meanwhile
			if err == nil {
				all[pid] = string(args)
			}
		}
		return all
	}
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		number, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pid, err := strconv.Atoi(number); err == nil {
			all[pid] = strings.TrimSpace(args)
		}
	}
	return all
}

func TestSweepTakesOnlyGoneTemporaryCheckouts(t *testing.T) {
	t.Parallel()
	parent, gone := t.TempDir(), t.TempDir()
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	notes := map[string]string{"1111111111": gone, "2222222222": parent, "3333333333": "/no/such/disk", "4444444444": gone}
	for key, root := range notes {
		dir := filepath.Join(parent, "x-"+key)
		err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(filepath.Join(dir, "test"), 0o700),
			os.WriteFile(filepath.Join(dir, checkoutNote), []byte(root), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	sweep(t.Context(), filepath.Join(parent, "x-4444444444"))
	left, _ := filepath.Glob(filepath.Join(parent, "x-*"))
	if len(left) != 3 || strings.Contains(strings.Join(left, " "), "x-1111111111") {
		t.Errorf("left %v", left)
	}
}

func TestMissingServersSayWhatToDo(t *testing.T) {
	inOwnCheckout(t)
	t.Setenv("PG_BINDIR", t.TempDir())
	t.Setenv("REDIS_BINDIR", t.TempDir())
	t.Setenv("PATH", "")
	_, err := Up(t.Context(), Options{Mode: Test, NoRedis: true})
	var missing *software.MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "TEST_DATABASE_URL=") || !strings.Contains(err.Error(), "PG_BINDIR is") {
		t.Errorf("postgres: %v", err)
	}
	_, err = UpRedis(t.Context(), Options{Mode: Demo, NoRedis: true})
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), " REDIS_URL=") || !strings.Contains(err.Error(), "--install") {
		t.Errorf("redis: %v", err)
	}
}

func TestGivenURLs(t *testing.T) {
	inOwnCheckout(t)
	env, err := Up(t.Context(), Options{Mode: Test})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	t.Setenv("TEST_DATABASE_URL", env.DatabaseURL)
	t.Setenv("TEST_REDIS_URL", env.RedisURL)
	t.Setenv("PG_BINDIR", t.TempDir())
	given, err := Up(t.Context(), Options{Mode: Test})
	if err != nil {
		t.Fatal(err)
	}
	given.Close()
	if given.DatabaseURL != env.DatabaseURL || given.RedisURL != env.RedisURL || given.PrivateRedis {
		t.Errorf("got %+v", given)
	}
	const secret = "hunter2"
	t.Setenv("TEST_DATABASE_URL", "postgres://u:"+secret+"@127.0.0.1:1/d")
	if _, err := Up(t.Context(), Options{Mode: Test}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
}
