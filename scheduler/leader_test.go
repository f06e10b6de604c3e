package scheduler

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"bareed/internal/clock"
	"bareed/internal/pg/pgtest"
)

// Whoever looks sees that nobody leads, who began when, and each second that
// the leader lives; a second scheduler waits and takes over.
func TestLeaderIsSeenAndFollowed(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	leader := func() Leader {
		l, err := ReadLeader(t.Context(), pool.Engine())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if l := leader(); l.Held || l.Since != nil {
		t.Fatalf("before anybody leads: %+v", l)
	}
	first, firstLeads, firstEnds := led(t, &Scheduler{Config: Config{Pool: pool, Log: slog.New(slog.DiscardHandler)}})
	<-firstLeads
	l := leader()
	if !l.Held || l.Since == nil || l.Beat == nil {
		t.Fatalf("while one leads: %+v", l)
	}
	second, secondLeads, secondEnds := led(t, &Scheduler{Config: Config{Pool: pool, Log: slog.New(slog.DiscardHandler)}})
	for began := *l.Beat; !leader().Beat.After(began); { // a beat a second
		if !clock.Pause(t.Context(), 50*time.Millisecond) {
			t.Fatal("no beat came")
		}
	}
	select {
	case <-secondLeads:
		select {
		case <-firstEnds: // a busy machine: its session did not answer in time
		case <-time.After(time.Minute):
			t.Fatal("two lead")
		}
	default:
	}
	first()
	<-firstEnds
	<-secondLeads
	if now := leader(); !now.Held || !now.Since.After(*l.Since) {
		t.Errorf("after the second took over: %+v, the first began at %s", now, l.Since)
	}
	second()
	<-secondEnds
	for leader().Held { // the session's end reaches the server a moment later
		if !clock.Pause(t.Context(), 20*time.Millisecond) {
			t.Fatal("nobody leads and somebody is named")
		}
	}
}

// led lets s lead in the background; leads closes when it does, ends when it
// gave up after stop.
func led(t *testing.T, s *Scheduler) (stop func(), leads, ends chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	leads, ends = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ends)
		_ = s.lead(ctx, func(held context.Context) {
			close(leads)
			<-held.Done()
		})
	}()
	return cancel, leads, ends
}
