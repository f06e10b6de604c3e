package live_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/live"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// What watching one campaign costs the database, in statements: begin with the
// workspace, events, campaign, stops, report, commit; the beginning also asks
// for the newest event's number.
const (
	perBegin   = 7
	perRound   = 6
	perRecheck = 1 // of the keys; another one when there are sessions
)

// TestManyViewersCostAsMuchAsOne: 200 viewers with 200 keys, 20 seconds.
func TestManyViewersCostAsMuchAsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const people, seconds = 200, 20
	callers := make([]accounts.Identity, people)
	tenant := fixture.Tenant{Workspace: w.Workspace, Actor: w.Actor}
	for i := range callers {
		var err error
		if callers[i], err = accounts.FindKey(t.Context(), w.Pool, fixture.Key(t, w.Pool, tenant, "campaigns:read", "reports:read")); err != nil {
			t.Fatal(err)
		}
	}
	w.counted.n.Store(0)
	last := w.newest(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var viewers, watching sync.WaitGroup
	watching.Add(people)
	for _, who := range callers {
		v, err := w.hub.Watch(ctx, who, w.campaign, last)
		if err != nil {
			t.Fatal(err)
		}
		viewers.Go(func() {
			defer v.Close()
			defer func() { <-ctx.Done() }() // all stay to the end
			defer watching.Done()
			for at := last; at < last+seconds; {
				u, err := v.Next(ctx)
				if err != nil {
					t.Errorf("after %d: %v", at, err)
					return
				}
				for _, e := range u.Events {
					if at++; e.Sequence != at {
						t.Errorf("event %d, want %d", e.Sequence, at)
					}
				}
			}
		})
	}
	for i := range seconds {
		w.happen(t, 1)
		w.progress(t, 1+i%5)
		w.time.pass(time.Second)
	}
	watching.Wait() // the last round reaches them by itself, or is broken off when all leave
	leave()
	viewers.Wait()
	w.allGone(t)
	const want = perBegin + seconds*perRound + seconds/10*perRecheck
	if n := w.counted.n.Load(); n > want || n < want-perRound-perRecheck {
		t.Errorf("%d viewers cost %d statements in %d seconds, want %d", people, n, seconds, want)
	}
	if _, ever := w.time.reading(); ever != 1 {
		t.Errorf("%d readers for one campaign", ever)
	}
}

func TestFiguresComeWhenTheyChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.watch(t, w.newest(t))
	first := next(t, v)
	if first.Picture == nil || first.Picture.Report.Ready != 5 || !first.Picture.Report.Balanced || len(first.Events) != 0 {
		t.Fatalf("first %+v", first)
	}
	w.snapshot(t) // the same figures, a moment later, whatever the machine took
	w.Do(t, `update run_snapshot set at = $3 where workspace_id = $1 and run_id = $2`, w.Workspace, w.run, first.Picture.Report.At.Add(time.Second))
	w.time.pass(time.Second)
	w.time.pass(time.Second)
	w.progress(t, 1)
	w.time.pass(time.Second)
	u := next(t, v)
	if u.Picture == nil || u.Picture.Version != first.Picture.Version+1 || u.Picture.Report.Accepted != 1 || !u.Picture.Report.Balanced {
		t.Fatalf("then %+v", u)
	}
	late := next(t, w.watch(t, 0)) // who comes later gets the same picture
	if late.Picture != u.Picture || len(late.Events) != int(w.newest(t)) {
		t.Errorf("late %+v", late)
	}
	w.time.pass(15 * time.Second)
	if !next(t, v).Beat() {
		t.Error("no beat after 15 s of quiet")
	}
}

// TestRenderOnce: what a page makes of figures is made once for all viewers.
func TestRenderOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var made atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		v := w.watch(t, 0)
		all.Go(func() {
			u := next(t, v)
			for _, lang := range []string{"ar", "en"} {
				b, err := u.Picture.Render(lang, func(r campaigns.Report) ([]byte, error) {
					made.Add(1)
					return []byte(lang + string(r.State)), nil
				})
				if err != nil || string(b) != lang+"running" {
					t.Errorf("%q %v", b, err)
				}
				for _, e := range u.Events {
					if _, err := e.Render(lang, func(campaigns.Event) ([]byte, error) { made.Add(1); return nil, nil }); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if want := 2 * (1 + w.newest(t)); made.Load() != want {
		t.Errorf("made %d times, want %d", made.Load(), want)
	}
}

// TestSlowViewer: one that takes nothing holds up nobody, and gets every event
// once and only the newest figures when it wakes up.
func TestSlowViewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.newest(t)
	slow, quick := w.watch(t, start), w.watch(t, start)
	at := start
	for i := range 9 { // more than is kept
		w.happen(t, 100)
		w.progress(t, 1+i%5)
		w.time.pass(time.Second)
		for at < start+int64(i+1)*100 {
			at = follow(t, at, next(t, quick))
		}
	}
	pictures := 0
	for at := start; at < start+900; {
		u := next(t, slow)
		at = follow(t, at, u)
		if u.Picture != nil {
			pictures++
			if u.Picture.Report.Accepted != 5 {
				t.Errorf("old figures: %d accepted", u.Picture.Report.Accepted)
			}
		}
	}
	if pictures != 1 {
		t.Errorf("%d pictures, want 1", pictures)
	}
}

// follow checks that events go on where the last ones ended.
func follow(t *testing.T, at int64, u live.Update) int64 {
	t.Helper()
	for _, e := range u.Events {
		if at++; e.Sequence != at {
			t.Fatalf("event %d, want %d", e.Sequence, at)
		}
	}
	return at
}

func TestStopping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.hub.Run(ctx) }()
	var all sync.WaitGroup
	for range 30 {
		v := w.watch(t, 0)
		all.Go(func() {
			defer v.Close()
			for {
				if _, err := v.Next(t.Context()); err != nil {
					if !errors.Is(err, live.ErrOver) {
						t.Errorf("ended with %v", err)
					}
					return
				}
			}
		})
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	all.Wait()
	_, err := w.hub.Watch(t.Context(), w.part(), w.campaign, 0)
	if e, ok := errs.As(err); !ok || e.Code != "live.stopping" || e.RetryAfter == 0 {
		t.Errorf("after the end: %v", err)
	}
}

func TestWholeTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.watch(t, 0)
	next(t, v)
	w.time.pass(10 * time.Minute)
	if err := ending(t, v); !errors.Is(err, live.ErrOver) {
		t.Errorf("after ten minutes: %v", err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *live.Config) { c.MaxViewers, c.MaxWorkspace = 3, 2 })
	refused := func(who accounts.Identity, campaign id.Campaign, code string) {
		t.Helper()
		_, err := w.hub.Watch(t.Context(), who, campaign, 0)
		if e, ok := errs.As(err); !ok || e.Code != code || (e.RetryAfter == 0) != (code == "not_found") {
			t.Errorf("%v, want %s", err, code)
		}
	}
	other := fixture.NewBroadcast(t, w.Pool)
	theirs := other.Campaign(t, "Theirs").ID
	stranger := accounts.Identity{Actor: accounts.System(other.Workspace, "test")}
	refused(stranger, w.campaign, "not_found")
	refused(w.part(), theirs, "not_found")
	refused(w.part(), id.New[id.Campaign](), "not_found")
	if viewers, feeds := w.hub.Count(); viewers+feeds != 0 {
		t.Errorf("refused, but %d viewers and %d feeds", viewers, feeds)
	}
	first := w.watch(t, 0)
	w.watch(t, 0)
	refused(w.part(), w.campaign, "live.workspace_full")
	third, err := w.hub.Watch(t.Context(), stranger, theirs, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	refused(stranger, theirs, "live.full")
	first.Close()
	first.Close()
	if _, err := first.Next(t.Context()); !errors.Is(err, live.ErrOver) {
		t.Errorf("a closed viewer goes on: %v", err)
	}
	w.watch(t, 0)
	third.Close()
	refused(w.part(), w.campaign, "live.workspace_full")
}

// TestDraft: a campaign without figures can be watched; one that is deleted
// ends the watching.
func TestDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	draft := w.Campaign(t, "Draft")
	v, err := w.hub.Watch(t.Context(), w.part(), draft.ID, 1_000_000) // no event is that new
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	w.time.pass(15 * time.Second)
	if u := next(t, v); !u.Beat() {
		t.Errorf("a draft without news: %+v", u)
	}
	w.In(t, func(tx pgx.Tx) error { return campaigns.Delete(t.Context(), tx, w.Actor, draft.ID) })
	w.time.pass(time.Second)
	if err := ending(t, v); !errs.Is(err, "not_found") {
		t.Errorf("ended with %v", err)
	}
}
