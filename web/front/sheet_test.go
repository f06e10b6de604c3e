package front_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
	"bareed/web/front"
)

// heard is a log whose lines a test reads.
type heard chan slog.Record

func (h heard) Enabled(context.Context, slog.Level) bool      { return true }
func (h heard) Handle(_ context.Context, r slog.Record) error { h <- r; return nil }
func (h heard) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h heard) WithGroup(string) slog.Handler                 { return h }
func (h heard) lines() (list []slog.Record) {
	close(h)
	for r := range h {
		list = append(list, r)
	}
	return list
}

// A reader who goes away in the middle of a download is noted once, and is no
// fault; a fault of ours in the middle is one.
func TestSheetBrokenOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end   error
		level slog.Level
	}{"reader": {nil, slog.LevelInfo}, "fault": {io.ErrUnexpectedEOF, slog.LevelError}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, log := pgtest.New(t), make(heard, 10)
			f, err := front.New(front.Config{Pool: pool, Vault: fixture.Vault(t, pool), UI: kit(t), Log: slog.New(log),
				Routes: []front.Route{{Route: "GET /rows", Public: true, Open: true}}})
			if err != nil {
				t.Fatal(err)
			}
			f.Handle("GET /rows", func(call *front.Call) error {
				s := call.Sheet("rows", "a")
				for {
					for range 1000 {
						s.Row(front.PlainCell("=1"), strings.Repeat("x", 100))
					}
					if err := s.Flush(); err != nil || c.end != nil {
						return errors.Join(err, c.end)
					}
				}
			})
			h, err := f.Handler()
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(h)
			res, err := http.Get(server.URL + "/rows") //nolint:noctx // the server ends with the test
			if err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 6)
			if _, err := io.ReadFull(res.Body, head); err != nil || string(head) != "a\n'=1," {
				t.Errorf("%q %v", head, err)
			}
			if c.end != nil { // who stays reads what there was
				_, _ = io.Copy(io.Discard, res.Body)
			}
			_ = res.Body.Close()
			server.Close() // waits for the handler
			if got := log.lines(); len(got) != 1 || got[0].Level != c.level || got[0].Message != "page broken off" {
				t.Errorf("the log has %v", got)
			}
		})
	}
}
