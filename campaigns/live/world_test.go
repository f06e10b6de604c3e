package live_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/live"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

// world is a launched campaign and a hub whose time the test moves.
type world struct {
	*fixture.Broadcast
	hub      *live.Hub
	campaign id.Campaign
	run      id.Run
	time     hands
	counted  *statements
}

// hands are the hub's clock and the beat of its readers.
type hands struct {
	mu      sync.Mutex
	now     time.Time
	readers map[chan time.Time]chan struct{}
	started int
}

func (h *hands) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) tick(time.Duration) (<-chan time.Time, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	beat, gone := make(chan time.Time), make(chan struct{})
	if h.readers == nil {
		h.readers = make(map[chan time.Time]chan struct{})
	}
	h.readers[beat] = gone
	h.started++
	return beat, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.readers, beat)
		close(gone)
	}
}

// pass moves the clock and makes each reader read once. It returns when they
// have begun to; the next pass waits for their end.
func (h *hands) pass(d time.Duration) {
	h.mu.Lock()
	h.now = h.now.Add(d)
	readers := make(map[chan time.Time]chan struct{}, len(h.readers))
	for beat, gone := range h.readers {
		readers[beat] = gone
	}
	h.mu.Unlock()
	for beat, gone := range readers {
		select {
		case beat <- time.Time{}:
		case <-gone:
		}
	}
}

// reading is how many readers there are, and were.
func (h *hands) reading() (now, ever int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers), h.started
}

// statements counts what the hub sends to the database.
type statements struct{ n atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// newWorld launches a campaign to five people.
func newWorld(t *testing.T, change ...func(*live.Config)) *world {
	t.Helper()
	db := pgtest.Open(t)
	w := &world{Broadcast: fixture.NewBroadcast(t, db.Pool), counted: &statements{}}
	w.AddPeople(t, w.Audience, 5)
	l := w.Launch(t, "Watched")
	w.campaign, w.run = l.CampaignID, l.RunID
	w.snapshot(t)
	pool, err := pg.Open(t.Context(), pg.Config{URL: db.URL, MaxConns: 8, Tracer: w.counted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w.time.now = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	c := live.Config{Pool: pool, Clock: w.time.clock, Tick: w.time.tick}
	for _, f := range change {
		f(&c)
	}
	w.hub = live.New(c)
	t.Cleanup(func() { w.allGone(t) })
	return w
}

// allGone fails the test if anybody still watches or any reader goes on.
func (w *world) allGone(t *testing.T) {
	over, stop := context.WithCancel(context.Background())
	stop()
	if err := w.hub.Run(over); err != nil { // waits for the readers
		t.Error(err)
	}
	viewers, feeds := w.hub.Count()
	if now, _ := w.time.reading(); viewers+feeds+now != 0 {
		t.Errorf("left over: %d viewers, %d feeds, %d readers", viewers, feeds, now)
	}
}

// happen appends n events to the campaign, as the nouns do.
func (w *world) happen(t *testing.T, n int) {
	t.Helper()
	w.Do(t, `
		with c as (
			update campaign set event_sequence = event_sequence + $3 where workspace_id = $1 and id = $2 returning event_sequence)
		insert into campaign_event (workspace_id, campaign_id, sequence, type, data)
		select $1, $2, c.event_sequence - $3 + g, 'campaign.tested', '{}' from c, generate_series(1, $3::int) g`,
		w.Workspace, w.campaign, n)
}

func (w *world) snapshot(t *testing.T) {
	t.Helper()
	w.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, w.Workspace, w.run) })
}

// progress lets Meta accept one more message, and counts.
func (w *world) progress(t *testing.T, ordinal int) {
	t.Helper()
	w.Do(t, `update message set state = 'accepted' where workspace_id = $1 and run_id = $2 and ordinal = $3`, w.Workspace, w.run, ordinal)
	w.snapshot(t)
}

// newest is the campaign's last event.
func (w *world) newest(t *testing.T) (n int64) {
	t.Helper()
	w.In(t, func(tx pgx.Tx) (err error) {
		n, err = campaigns.LastSequence(t.Context(), tx, w.Workspace, w.campaign)
		return err
	})
	return n
}

// part is a part of the program as a caller: it has no credential that ends.
func (w *world) part() accounts.Identity {
	return accounts.Identity{Actor: accounts.System(w.Workspace, "test")}
}

// watch begins to watch as a part of the program.
func (w *world) watch(t *testing.T, after int64) *live.Viewer {
	t.Helper()
	v, err := w.hub.Watch(t.Context(), w.part(), w.campaign, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// next waits for an update, at most half a minute.
func next(t *testing.T, v *live.Viewer) live.Update {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	u, err := v.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// ending is why the viewer must go, once it has what was there before, such as
// the beat of a round that the clock overtook.
func ending(t *testing.T, v *live.Viewer) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		if _, err := v.Next(ctx); err != nil {
			return err
		}
	}
}
