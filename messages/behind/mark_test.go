package behind_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"bareed/internal/pg/pgtest"
	"bareed/messages/behind"
)

func TestAhead(t *testing.T) {
	t.Parallel()
	one, other := uuid.New(), uuid.New()
	for _, tt := range []struct {
		seen, has behind.Mark
		want      bool
	}{
		{behind.Mark{Installation: one, N: 2}, behind.Mark{Installation: one, N: 1}, true},
		{behind.Mark{Installation: one, N: 2}, behind.Mark{Installation: one, N: 2}, false},
		{behind.Mark{Installation: one, N: 1}, behind.Mark{Installation: one, N: 2}, false},
		{behind.Mark{Installation: other, N: 2}, behind.Mark{Installation: one, N: 1}, false},
		{behind.Mark{}, behind.Mark{Installation: one, N: 1}, false},
		{behind.Mark{Installation: one, N: 9}, behind.Mark{}, false}, // nobody ever led: it holds no message
	} {
		if got := tt.seen.Ahead(tt.has); got != tt.want {
			t.Errorf("%v ahead of %v: %v", tt.seen, tt.has, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "x", "1 2 3", uuid.NewString() + " 5 1700000000000", uuid.NewString() + " -5 0", uuid.NewString() + " 5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := behind.Parse(s)
		if m == (behind.Mark{}) {
			return
		}
		if m.N <= 0 || behind.Parse(m.String()) != m {
			t.Errorf("%q is read as %v", s, m)
		}
	})
}

func TestMarkOnlyRises(t *testing.T) {
	t.Parallel()
	engine := pgtest.New(t).Engine()
	if m, err := behind.Read(t.Context(), engine); err != nil || m != (behind.Mark{}) {
		t.Fatalf("before anybody led: %v, %v", m, err)
	}
	last := behind.Mark{}
	for i, above := range []int64{0, 0, 100, 5, 0} {
		m, err := behind.Raise(t.Context(), engine, behind.Mark{N: above})
		if err != nil {
			t.Fatal(err)
		}
		if read, err := behind.Read(t.Context(), engine); err != nil || read != m {
			t.Errorf("raised to %v, read as %v, %v", m, read, err)
		}
		if m.N <= last.N || m.N <= above || i > 0 && m.Installation != last.Installation {
			t.Errorf("%v follows %v", m, last)
		}
		last = m
	}
}

// A worker keeps the newest mark, whatever happens to Redis.
func TestWatchKeepsTheNewest(t *testing.T) {
	t.Parallel()
	one, other := uuid.New(), uuid.New()
	say := func(installation uuid.UUID, n int64) string {
		return behind.Mark{Installation: installation, N: n, At: time.Now()}.String()
	}
	var said string
	var fails error
	w := behind.NewWatch(func(context.Context) (string, error) { return said, fails })
	for _, tt := range []struct {
		said  string
		fails error
		n     int64
		of    uuid.UUID
	}{
		{"", nil, 0, uuid.Nil},
		{say(one, 5), nil, 5, one},
		{say(one, 3), nil, 5, one}, // an older copy of Redis
		{"", nil, 5, one},          // emptied
		{say(one, 9), errors.New("away"), 5, one},
		{say(one, 9), nil, 9, one},
		{say(other, 2), nil, 2, other}, // another installation
	} {
		said, fails = tt.said, tt.fails
		err := w.Look(t.Context())
		if k := w.Known(); k.N != tt.n || k.Installation != tt.of || !errors.Is(err, tt.fails) {
			t.Errorf("after %q: %+v, %v", tt.said, k, err)
		}
	}
}
