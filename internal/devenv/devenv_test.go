//go:build unix

package devenv

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// echoServer is a server of the keeper's that needs nothing installed: a shell
// that writes its process id and waits.
func echoServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	run, err := runDir(dir, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	pidFile := filepath.Join(dir, "pid")
	s := &server{name: "echo", dir: dir, run: run, stop: "TERM",
		args: []string{"/bin/sh", "-c", `echo $$ >"$0"; trap 'rm -f "$0"; exit 0' TERM; while :; do sleep 0.01; done`, pidFile}}
	s.prepare = func(context.Context) error { return nil }
	s.orphan = func(ctx context.Context) error {
		var pid int
		b, _ := os.ReadFile(pidFile) // none when nothing runs
		if _, err := fmt.Sscan(string(b), &pid); err != nil {
			return nil
		}
		_ = syscall.Kill(pid, syscall.SIGTERM) // it may just have ended
		for running(pid) {
			if err := pause(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		return os.RemoveAll(pidFile)
	}
	s.ready = func(context.Context) error {
		if b, err := os.ReadFile(pidFile); err != nil || len(b) == 0 {
			return errors.New("not yet")
		}
		return nil
	}
	return s
}

func (s *server) pid(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	if err != nil {
		t.Fatalf("the server is gone: %v", err)
	}
	return string(b)
}

// eventually asks until it holds, for a minute.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
		_ = pause(t.Context(), 2*time.Millisecond)
	}
}

func missing(path string) func() bool {
	return func() bool { _, err := os.Stat(path); return err != nil }
}

func TestServerLivesAsLongAsItsUsers(t *testing.T) {
	t.Parallel()
	s := echoServer(t)
	first, err := s.attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid := s.pid(t)
	second, err := s.attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if second.exit != nil || s.pid(t) != pid {
		t.Fatal("the second user started a server of its own")
	}
	first.pipe.Close()
	third, err := s.attach(t.Context())
	if err != nil || s.pid(t) != pid {
		t.Fatalf("the server did not outlive its first user: %v", err)
	}
	second.release()
	third.release()
	eventually(t, "stopped after its last user", missing(filepath.Join(s.dir, "pid")))
	<-first.exit
	again, err := s.attach(t.Context())
	if err != nil || s.pid(t) == pid {
		t.Fatalf("a new server: %v", err)
	}
	again.release()
}

// Users come and go at the same moment; whoever attached must find the server
// alive until they release it.
func TestServerUnderManyUsers(t *testing.T) {
	t.Parallel()
	s := echoServer(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 15 {
				u, err := s.attach(t.Context())
				if err != nil {
					t.Errorf("attach: %v", err)
					return
				}
				if err := s.ready(t.Context()); err != nil {
					t.Error("attached to a server that is gone")
				}
				u.pipe.Close()
			}
		})
	}
	wg.Wait()
	eventually(t, "stopped after its last user", missing(filepath.Join(s.dir, "pid")))
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	s := echoServer(t)
	s.args = []string{"/bin/sh", "-c", "echo no such luck; exit 1"}
	s.ready = func(context.Context) error { return errors.New("no") }
	_, err := s.attach(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such luck") || !strings.Contains(err.Error(), "ended at once") {
		t.Errorf("got %v", err)
	}
}

// asHelper makes this test binary run one function as a process of its own.
func asHelper(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+name+"$")
	cmd.Env = append(os.Environ(), "DEVENV_HELPER="+strings.Join(args, "|"))
	return cmd
}

func helperArgs(t *testing.T) []string {
	v := os.Getenv("DEVENV_HELPER")
	if v == "" {
		return nil
	}
	return strings.Split(v, "|")
}

// TestHelperRunsChild is the parent that gets killed in the next test.
func TestHelperRunsChild(t *testing.T) {
	if helperArgs(t) == nil {
		return
	}
	p, err := Start(context.Background(), Child{Name: "child", Path: "/bin/sh", Log: os.Stdout,
		Args: []string{"-c", `sleep 1000 & echo pids $$ $!; trap "" TERM INT; wait`}})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
}

func TestChildrenDieWithAKilledParent(t *testing.T) {
	t.Parallel()
	parent := asHelper(t, "TestHelperRunsChild", "x")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var name string
	var child, grandchild int
	for in := bufio.NewScanner(out); in.Scan(); {
		if n, _ := fmt.Sscanf(in.Text(), "%s | pids %d %d", &name, &child, &grandchild); n == 3 {
			break
		}
	}
	if grandchild == 0 {
		t.Fatal("the child said nothing")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	eventually(t, "child dead", func() bool { return !running(child) })
	eventually(t, "grandchild dead", func() bool { return !running(grandchild) })
}

// running leaves out the dead that nobody has collected yet.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(b), ") Z ")
}

func TestStop(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, script string
		grace        time.Duration
		fails        bool
	}{
		{"obedient", `trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done`, time.Minute, false},
		{"deaf", `trap "" TERM; echo ready; while :; do sleep 0.01; done`, 300 * time.Millisecond, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, w := io.Pipe()
			p, err := Start(t.Context(), Child{Name: "a", Path: "/bin/sh", Args: []string{"-c", c.script}, Log: w})
			if err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(r).ReadString('\n')
			if err != nil || line != "a          | ready\n" {
				t.Fatalf("%q, %v", line, err)
			}
			if err := p.Stop(c.grace); (err != nil) != c.fails {
				t.Errorf("ended with %v", err)
			}
			if err := p.Stop(time.Second); (err != nil) != c.fails {
				t.Errorf("the second stop: %v", err)
			}
		})
	}
}

func TestEndOfContextKills(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(ctx, Child{Name: "a", Path: "sleep", Args: []string{"1000"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.Done()
	if p.Err() == nil {
		t.Error("a killed child ended well")
	}
	if _, err := Start(t.Context(), Child{Name: "none", Path: "no-such-program"}); err == nil {
		t.Error("a missing program started")
	}
}

func TestLinesKeepWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &lines{to: &out, prefix: "p | "}
	for _, s := range []string{"a", "b\nc\n\nd", "e"} {
		if _, err := io.WriteString(l, s); err != nil {
			t.Fatal(err)
		}
	}
	l.flush()
	if got, want := out.String(), "p | ab\np | c\np | \np | de\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLockIsExclusiveAndEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := lock(short, path); err == nil {
		t.Error("two holders")
	}
	unlock()
	unlock, err = lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestOwnDirRefusesWhatOthersMayWrite(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	uid := os.Getuid()
	good, err := ownDir(filepath.Join(parent, "a", "b"), uid, 0o711)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ownDir(good, uid, 0o711); err != nil {
		t.Errorf("the second time: %v", err)
	}
	open := filepath.Join(parent, "open")
	if err := errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(parent, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{open, link} {
		if _, err := ownDir(dir, uid, 0o711); err == nil {
			t.Errorf("%s was taken", dir)
		}
	}
	if _, err := ownDir(good, uid+1, 0o711); err == nil {
		t.Error("another user's directory was taken")
	}
}

func TestRunDirIsShortEnough(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	run, err := runDir(long, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(run)
	again, err := runDir(long, os.Getuid())
	if err != nil || again != run {
		t.Errorf("not stable: %s, %s, %v", run, again, err)
	}
	l, err := net.Listen("unix", filepath.Join(run, ".s.PGSQL.15432.lock"))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestStaleLockFileOfAnotherProcess(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	other := exec.Command("sleep", "1000")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	file := filepath.Join(data, "postmaster.pid")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d\n%s\n", other.Process.Pid, data), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := stopPostmaster(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	if !running(other.Process.Pid) {
		t.Error("a stranger was stopped because of its number")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the stale lock file stays")
	}
}
