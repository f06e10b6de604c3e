//go:build unix

package bench

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestProbe(t *testing.T) {
	ctx := t.Context()
	s, err := startServers(ctx, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	w, err := newWorld(ctx, s, 20000)
	if err != nil {
		t.Fatal(err)
	}
	n, err := w.addNumber(ctx, 1000)
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.addRun(ctx, n, 20000)
	if err != nil {
		t.Fatal(err)
	}
	w.begin(ctx, d)
	su, err := pgx.Connect(ctx, strings.Replace(s.url, "postgres://bareed@", "postgres://postgres@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer su.Close(ctx)
	pm := s.postmaster(ctx)
	next := &atomic.Int32{}
	for _, callers := range []int{1, 4, 32, 32, 32} {
		c0, _ := postgresTime(pm)
		stop := make(chan struct{})
		events := map[string]int{}
		fin := make(chan struct{})
		go func() {
			defer close(fin)
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				rows, _ := su.Query(ctx, "select coalesce(wait_event_type||'/'||wait_event, state) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'")
				var e string
				pgx.ForEachRow(rows, []any{&e}, func() error { events[e]++; return nil })
			}
		}()
		n0 := next.Load()
		r, err := w.claimRate(ctx, d, next, callers, 1)
		close(stop)
		<-fin
		c1, _ := postgresTime(pm)
		fmt.Println("callers", callers, "rate", r, err, "cpu/claim", (c1-c0)/time.Duration(next.Load()-n0), events)
	}
}
