//go:build unix

package devenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Mode says what the servers are for, which decides what is kept and how
// carefully it is written.
type Mode string

const (
	// Demo keeps its data between runs and writes durably.
	Demo Mode = "demo"
	// Test may lose everything at a power cut (fsync off) and is stopped when
	// its last user is gone.
	Test Mode = "test"
)

// Options of Up.
type Options struct {
	Mode    Mode
	Out     io.Writer // one line per service is written here; nil for silence
	Install bool      // may install missing servers with the machine's package manager
	NoRedis bool      // PostgreSQL alone
	// Attached allows only what several processes can share and what ends by
	// itself: a given server, or a private one. Docker and installing are left out.
	Attached bool
}

// Env is a pair of servers in use. The private ones live until every process
// that uses them has closed its Env or ended, in whatever way it ended.
type Env struct {
	// DatabaseURL is a login with CREATEROLE and CREATEDB, not a superuser. In
	// demo mode it names the demo's own database, in test mode the server's
	// maintenance database.
	DatabaseURL string
	// DatabaseGiven tells that somebody else's server was named: Reset does not
	// remove what lies there.
	DatabaseGiven bool
	// RedisURL is unix:///path/redis.sock?db=0 or redis://…; empty with NoRedis.
	RedisURL string
	// PrivateRedis tells that redis-server is this machine's own binary, so
	// that a test can have as many servers as it likes.
	PrivateRedis bool

	said  []string
	close []func()
}

// Up resolves PostgreSQL and Redis. For each the first of these wins: a URL
// from the environment (DATABASE_URL and REDIS_URL, in test mode
// TEST_DATABASE_URL and TEST_REDIS_URL), a private server from binaries found
// on this machine, Docker, and an installation if that was allowed. Servers
// that somebody else runs are never looked for. When nothing is to be had the
// error is a *software.MissingError.
func Up(ctx context.Context, o Options) (*Env, error) {
	if o.NoRedis {
		return up(ctx, o, (*Env).upPostgres)
	}
	return up(ctx, o, (*Env).upPostgres, (*Env).upRedis)
}

// UpRedis resolves Redis alone.
func UpRedis(ctx context.Context, o Options) (*Env, error) {
	return up(ctx, o, (*Env).upRedis)
}

func up(ctx context.Context, o Options, steps ...func(*Env, context.Context, Options) error) (*Env, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // an installation may take minutes
	defer cancel()
	if state, err := stateDir(); err == nil && !o.Attached {
		sweep(ctx, state)
	}
	e := &Env{}
	for _, step := range steps {
		if err := step(e, ctx, o); err != nil {
			e.Close()
			return nil, err
		}
	}
	if !o.Attached {
		e.sweepScratch(ctx)
	}
	return e, nil
}

// Describe repeats what Up said: per service where it comes from and where its
// data lies.
func (e *Env) Describe() string { return strings.Join(e.said, "\n") }

// Close gives the servers up and waits until those that had no other user have
// stopped. It may be called again.
func (e *Env) Close() {
	for i := len(e.close) - 1; i >= 0; i-- {
		e.close[i]()
	}
	e.close = nil
}

func (e *Env) say(out io.Writer, service, text string) {
	line := fmt.Sprintf("%-10s %s", service, text)
	e.said = append(e.said, line)
	fmt.Fprintln(out, line)
}

// given returns the URL the environment names for a service, and the
// variable's name. Tests never use DATABASE_URL: they create and drop databases.
func given(m Mode, name string) (variable, url string) {
	if m == Test {
		name = "TEST_" + name
	}
	return name, os.Getenv(name)
}

func kept(m Mode) string {
	if m == Demo {
		return "kept between runs"
	}
	return "for tests, fsync off, stops with its last user"
}
