package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
)

// Line is a way to the test's database that can be cut: a listener on the
// loopback whose connections end at the real server.
type Line struct {
	// Pool works over the line, under the program's roles.
	Pool *pg.Pool

	server *pgx.ConnConfig
	armed  atomic.Bool
	down   atomic.Bool
	mu     sync.Mutex
	open   map[net.Conn]net.Conn // by its caller's end
}

// NewLine opens a line to the pool's database. It ends with the test.
func NewLine(t testing.TB, pool *pg.Pool) *Line {
	t.Helper()
	l := &Line{server: pool.App().Config().ConnConfig, open: map[net.Conn]net.Conn{}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for the line: %v", err)
	}
	t.Cleanup(func() { _ = ln.Close(); l.Cut() })
	go l.accept(ln)
	u := url.URL{Scheme: "postgres", Host: ln.Addr().String(), Path: "/" + l.server.Database,
		User: url.UserPassword(l.server.User, l.server.Password), RawQuery: "sslmode=disable"}
	if l.Pool, err = pg.Open(t.Context(), pg.Config{URL: u.String(), MaxConns: 8}); err != nil {
		t.Fatalf("open the database over the line: %v", err)
	}
	t.Cleanup(l.Pool.Close)
	return l
}

// Cut breaks every connection that is open now; new ones may come.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for a, b := range l.open {
		_ = a.Close()
		_ = b.Close()
	}
	clear(l.open)
}

// Down breaks every connection and lets no new one through, as when the server
// is away, until Up.
func (l *Line) Down() {
	l.down.Store(true)
	l.Cut()
}

// Up ends Down.
func (l *Line) Up() { l.down.Store(false) }

// CutAtCommit lets the next commit happen and breaks its connection before the
// server's word of it is through.
func (l *Line) CutAtCommit() { l.armed.Store(true) }

// WasCut tells whether that came to pass.
func (l *Line) WasCut() bool { return !l.armed.Load() }

func (l *Line) accept(ln net.Listener) {
	for {
		caller, err := ln.Accept()
		if err != nil {
			return
		}
		if l.down.Load() {
			_ = caller.Close()
			continue
		}
		network, address := pgAddress(l.server)
		server, err := net.DialTimeout(network, address, 5*time.Second)
		if err != nil {
			_ = caller.Close()
			continue
		}
		l.mu.Lock()
		l.open[caller] = server
		l.mu.Unlock()
		go func() { _, _ = io.Copy(server, caller); l.end(caller) }()
		go l.answers(caller, server)
	}
}

// pgAddress is where a server listens; a directory is its socket's.
func pgAddress(c *pgx.ConnConfig) (network, address string) {
	if len(c.Host) > 0 && c.Host[0] == '/' {
		return "unix", fmt.Sprintf("%s/.s.PGSQL.%d", c.Host, c.Port)
	}
	return "tcp", net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
}

// answers passes on what the server says, until it says what is waited for: the
// tag of a CommandComplete (PostgreSQL, "Message Formats").
func (l *Line) answers(caller, server net.Conn) {
	defer l.end(caller)
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		const before = 5 // a byte of type and four of length
		if at := bytes.Index(buf[:n], []byte("COMMIT\x00")); at >= before && l.armed.CompareAndSwap(true, false) {
			_, _ = caller.Write(buf[:at-before]) // what came before is through
			return
		}
		if n > 0 {
			if _, err := caller.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *Line) end(caller net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if server, ok := l.open[caller]; ok {
		_ = caller.Close()
		_ = server.Close()
		delete(l.open, caller)
	}
}
