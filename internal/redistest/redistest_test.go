package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestEachTestHasItsOwn(t *testing.T) {
	t.Parallel()
	for i := range 3 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			c := Start(t).Client()
			n, err := c.DBSize(t.Context()).Result()
			if err != nil || n != 0 {
				t.Fatalf("a new server has %d keys, %v", n, err)
			}
			if err := c.Set(t.Context(), "k", i, 0).Err(); err != nil {
				t.Fatal(err)
			}
			policy, err := c.ConfigGet(t.Context(), "maxmemory-policy").Result()
			if err != nil || policy["maxmemory-policy"] != "noeviction" {
				t.Errorf("policy %v, %v", policy, err)
			}
		})
	}
}

func TestFlushStopRestart(t *testing.T) {
	t.Parallel()
	s := Start(t)
	c := s.Client()
	set := func() {
		t.Helper()
		if err := c.Set(t.Context(), "k", 1, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	gone := func() {
		t.Helper()
		if err := c.Get(t.Context(), "k").Err(); err != redis.Nil {
			t.Fatalf("the key should be gone: %v", err)
		}
	}
	set()
	s.FlushAll()
	gone()
	set()
	s.Stop()
	s.Stop()
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Fatal("a stopped server answers")
	}
	s.Restart()
	gone()
}

func TestSharedServerHandsOutDatabases(t *testing.T) {
	t.Parallel()
	given := Start(t)
	given.Stop()
	given.bin = "" // only to have a server with sixteen databases
	opt := given.Options()
	if got := withDB(opt, 3); got != "unix://"+given.socket()+"?db=3" {
		t.Errorf("socket: %s", got)
	}
	given.bin = mustBinary(t)
	tcp := &redis.Options{Addr: "h:1", Username: "u", Password: "p@"}
	if got := withDB(tcp, 4); got != "redis://u:p%40@h:1/4" {
		t.Errorf("tcp: %s", got)
	}
}

func mustBinary(t *testing.T) string {
	p, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSweepRemovesTheDeadOnly(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(parent, fmt.Sprintf("%s%d-1", dirPrefix, gone.Process.Pid))
	live := filepath.Join(parent, fmt.Sprintf("%s%d-1", dirPrefix, os.Getpid()))
	odd := filepath.Join(parent, dirPrefix+"x")
	for _, d := range []string{dead, live, odd} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(parent)
	if _, err := os.Stat(dead); err == nil {
		t.Error("a dead process's directory stays")
	}
	for _, d := range []string{live, odd} {
		if _, err := os.Stat(d); err != nil {
			t.Errorf("%s is gone", d)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s := Start(b)
		s.Stop()
	}
}
