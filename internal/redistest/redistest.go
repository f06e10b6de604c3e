// Package redistest gives each test a Redis of its own: a private redis-server
// on a unix socket, because the queue's keys cannot be told apart by a prefix.
// Tests call New or Start; a missing redis-server fails them, it never skips.
//
// Where no redis-server is installed, TEST_REDIS_URL names one to share; each
// test then has one of its databases to itself.
//
// It knows nothing of the product; no program imports it.
package redistest

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
)

// New returns the URL of an empty Redis that is the test's own until it ends.
func New(t testing.TB) string {
	t.Helper()
	return Start(t).URL()
}

// Server is a test's Redis.
type Server struct {
	t   testing.TB
	url string

	bin, dir string // empty when the server is shared
	mu       sync.Mutex
	proc     *devenv.Process
}

// Start returns a test's own empty Redis, which it may stop and start again.
func Start(t testing.TB) *Server {
	t.Helper()
	bin, err := software.RedisBinary()
	if err != nil {
		if given := os.Getenv("TEST_REDIS_URL"); given != "" {
			return share(t, given)
		}
		t.Fatalf("get Redis for the test: %v", err)
	}
	sweep(os.TempDir())
	s := &Server{t: t, bin: bin, dir: makeDir(t)}
	s.url = "unix://" + s.socket() + "?db=0"
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(s.dir)
	})
	s.run()
	return s
}

// dirPrefix is followed by the process that uses the directory.
const dirPrefix = "bareed-redis-"

// makeDir makes a directory with a path short enough for a socket.
func makeDir(t testing.TB) string {
	t.Helper()
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		t.Fatalf("make a directory for Redis: %v", err)
	}
	return dir
}

// sweep removes directories of test processes that no longer live.
func sweep(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, dirPrefix+"*")) // the pattern is a constant
	for _, dir := range found {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		n, err := strconv.Atoi(pid)
		if err == nil && n > 1 && syscall.Kill(n, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
}

func (s *Server) socket() string { return filepath.Join(s.dir, "redis.sock") }

// URL is the server's address, unix:///path/redis.sock?db=0 for a private one.
// It stays the same over Stop and Restart.
func (s *Server) URL() string { return s.url }

// Options are what a go-redis client of the server needs.
func (s *Server) Options() *redis.Options {
	opt, err := redis.ParseURL(s.url)
	if err != nil {
		s.t.Fatalf("read the Redis URL: %v", err)
	}
	return opt
}

// Client returns a client that is closed when the test ends.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(s.Options())
	s.t.Cleanup(func() { _ = c.Close() }) // its server goes too
	return c
}

// FlushAll empties the server while others use it.
func (s *Server) FlushAll() {
	s.t.Helper()
	c := redis.NewClient(s.Options())
	defer c.Close()
	if err := c.FlushDB(context.Background()).Err(); err != nil {
		s.t.Fatalf("empty Redis: %v", err)
	}
}

// Stop kills the server; its data is gone with it, as nothing is written to
// disk. It may be called again.
func (s *Server) Stop() {
	s.t.Helper()
	if s.bin == "" {
		s.t.Fatalf("stopping Redis needs a redis-server of the test's own: install one")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		s.proc.Kill()
		<-s.proc.Done()
		s.proc = nil
	}
}

// Restart stops the server if it runs and starts it empty at the same address.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.run()
}

// run starts the process and waits until it answers.
func (s *Server) run() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	os.Remove(s.socket())
	said, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatalf("make the log of Redis: %v", err)
	}
	defer said.Close()
	args := devenv.RedisArgs(s.bin, s.socket())
	args = append(args, "--databases", "1")
	s.proc, err = devenv.Start(context.Background(), devenv.Child{Name: "redis", Path: args[0], Args: args[1:], Log: said, Raw: true})
	if err != nil {
		s.t.Fatalf("start Redis: %v", err)
	}
	opt := s.Options()
	for deadline := time.Now().Add(time.Minute); ; {
		err := devenv.PingRedis(context.Background(), opt)
		if err == nil {
			return
		}
		select {
		case <-s.proc.Done():
			log, _ := os.ReadFile(said.Name()) // empty says enough
			s.t.Fatalf("Redis ended at once: %s", log)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("Redis does not answer: %v", err)
		}
	}
}
