package migrations_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/clock"
	"bareed/internal/pg/pgtest"
	"bareed/internal/rounds"
	"bareed/migrations"
)

// Migrating is cut off at every so-many-th statement, as when the process is
// killed or the network ends, and begun again each time. A file is there whole or
// not at all, and in the end the schema is the one that a single run makes.
func TestMigrateIsKilledAtEveryStatement(t *testing.T) {
	t.Parallel()
	database := pgtest.Empty(t, false)
	direct, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = direct.Close(context.Background()) }) // the database is dropped next
	w := newWire(t, direct.Config())
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("host")
	q.Del("port")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = w.address, q.Encode()
	every := int64(15) // all of them take minutes; which it begins with is each time another
	if rounds.Full() {
		every = 7
	}
	from := rand.Int64N(every)
	t.Logf("from statement %d", from)
	applied, kills := 0, 0
	for at := 1 + from; applied < migrations.Files(); at += every {
		w.cutAfter(at)
		_, err := apply(t.Context(), u.String())
		w.cut()
		alone(t, direct)
		now := fileCount(t, direct)
		if err == nil {
			applied = now
			break
		}
		kills++
		if now != applied {
			applied, at = now, from+1-every
		}
		whole(t, direct, applied)
	}
	if applied < migrations.Files() || kills < 30 {
		t.Fatalf("%d files after %d kills", applied, kills)
	}
	if n, err := apply(t.Context(), database); n != 0 || err != nil {
		t.Errorf("once more applied %d files: %v", n, err)
	}
	if _, err := direct.Exec(t.Context(), `set role `+migrations.RoleOwner); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("schema.sql")
	if got := picture(t, direct); err != nil || got != string(want) {
		t.Errorf("after %d kills it is another schema, %v", kills, err)
	}
}

// alone waits until the server has noticed that nobody else is connected.
func alone(t *testing.T, db *pgx.Conn) {
	t.Helper()
	for others := 1; others > 0; {
		err := db.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
			and backend_type = 'client backend'`).Scan(&others)
		if err != nil {
			t.Fatal(err)
		}
		if others > 0 && !clock.Pause(t.Context(), 2*time.Millisecond) {
			t.Fatal("the server still has others")
		}
	}
}

// fileCount is how many files the database says it has.
func fileCount(t *testing.T, db *pgx.Conn) (n int) {
	t.Helper()
	var there bool
	if err := db.QueryRow(t.Context(), `select to_regclass('goose_db_version') is not null`).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if !there {
		return 0
	}
	if err := db.QueryRow(t.Context(), `select count(*) from goose_db_version where version_id > 0`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// whole looks for what the files that are there do not make: the first table of
// the next one.
func whole(t *testing.T, db *pgx.Conn, files int) {
	t.Helper()
	first := []string{"clock_offset", "organisation", "contact", "meta_app", "campaign", "message"}
	for i, table := range first {
		var there bool
		if err := db.QueryRow(t.Context(), `select to_regclass($1) is not null`, "public."+table).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if there != (i < files) {
			t.Fatalf("with %d files, %s is there: %v", files, table, there)
		}
	}
}

// wire stands between migrate and PostgreSQL, counts the statements and breaks
// every connection behind one of them.
type wire struct {
	address string
	left    atomic.Int64
	mu      sync.Mutex
	open    []net.Conn
}

func newWire(t *testing.T, server *pgx.ConnConfig) *wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{address: ln.Addr().String()}
	t.Cleanup(func() { _ = ln.Close(); w.cut() })
	network, address := "tcp", net.JoinHostPort(server.Host, strconv.Itoa(int(server.Port)))
	if strings.HasPrefix(server.Host, "/") {
		network, address = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", server.Host, server.Port)
	}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial(network, address)
			if err == nil && w.left.Load() <= 0 { // who was killed does not call again
				_ = up.Close()
				err = net.ErrClosed
			}
			if err != nil {
				_ = client.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, client, up)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(client, up); _ = client.Close() }()
			go func() { w.forward(client, up); _ = up.Close() }()
		}
	}()
	return w
}

func (w *wire) cutAfter(n int64) { w.left.Store(n) }

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}

// forward passes a client's messages on, the first without a type
// (PostgreSQL's protocol 3.0, message formats). Query and Parse begin a statement.
func (w *wire) forward(client, server net.Conn) {
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[:4]
		}
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, int(binary.BigEndian.Uint32(head[len(head)-4:]))-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
		if !first && strings.ContainsRune("QP", rune(head[0])) && w.left.Add(-1) == 0 {
			w.cut()
			return
		}
	}
}
