// Package live owns watching campaigns: one reader per campaign and process,
// however many people watch it, and what each of them has seen. The reader reads
// the figures and the new events at most once a second while anybody watches,
// and keeps the newest events; every viewer takes from there at a pace of its
// own, so a slow one holds up nobody and nothing is queued for it.
//
// api streams what a Viewer gives as JSON, web as HTML; cmd builds the one Hub.
// It must not know HTTP, and it decides nothing about campaigns.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/clock"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// The times of watching.
const (
	readEvery  = time.Second
	readTime   = 5 * time.Second  // longest round of reading
	beatEvery  = 15 * time.Second // of quiet
	checkEvery = 10 * time.Second // how long a credential is believed
	whole      = 10 * time.Minute // then the viewer connects again and goes on
	staleAfter = 15 * time.Second // figures are told again when only their time moved
)

// Bounds of what is kept and read.
const (
	keptEvents   = 256 // of a campaign, for viewers who come or come back
	eventsAtOnce = 200
	maxFailures  = 5 // rounds in a row; then viewers are let go
	readsAtOnce  = 4 // of the pool's connections; with too many campaigns reading slows, nothing else
)

// ErrOver is the normal end of watching: the time is over or the process stops.
// The viewer connects again and goes on after the last event it saw.
var ErrOver = errors.New("watching is over")

// Config is what a Hub is built from. Pool is needed.
type Config struct {
	Pool  *pg.Pool
	Log   *slog.Logger
	Clock clock.Clock

	// Tick gives a reader its beat and what stops it; a time.Ticker by default.
	Tick func(time.Duration) (<-chan time.Time, func())

	MaxViewers   int // in this process; 4096 by default
	MaxWorkspace int // viewers of one workspace in this process; 512 by default
}

// Hub is everybody who watches in this process.
type Hub struct {
	Config
	readers sync.WaitGroup
	reads   chan struct{} // holds one for each reading under way

	mu       sync.Mutex // taken before any feed's
	stopping bool
	feeds    map[feedKey]*feed
	viewers  int
	of       map[id.Workspace]int
}

type feedKey struct {
	workspace id.Workspace
	campaign  id.Campaign
}

// New builds a hub without viewers.
func New(c Config) *Hub {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = clock.System
	}
	if c.Tick == nil {
		c.Tick = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(d)
			return t.C, t.Stop
		}
	}
	if c.MaxViewers == 0 {
		c.MaxViewers = 4096
	}
	if c.MaxWorkspace == 0 {
		c.MaxWorkspace = 512
	}
	return &Hub{Config: c, reads: make(chan struct{}, readsAtOnce), feeds: make(map[feedKey]*feed), of: make(map[id.Workspace]int)}
}

// Run keeps the hub until ctx ends. Then nobody new may watch, every viewer
// gets ErrOver, and it returns when the last reader has ended, so that the
// database can be let go. Readers start with the first viewer of a campaign and
// end with the last, also outside of Run.
func (h *Hub) Run(ctx context.Context) error {
	<-ctx.Done()
	h.mu.Lock()
	h.stopping = true
	for _, f := range h.feeds {
		h.drop(f, ErrOver)
	}
	h.mu.Unlock()
	h.readers.Wait()
	return nil
}

// Watch begins to watch a campaign of the caller's workspace: events after the
// given sequence, then what comes. Close the viewer when it leaves. Refused:
// not_found, what accounts.Allow refuses (campaigns.read is needed; figures come
// to those with reports.read), live.workspace_full, live.full and live.stopping.
func (h *Hub) Watch(ctx context.Context, who accounts.Identity, campaign id.Campaign, after int64) (*Viewer, error) {
	if err := accounts.Allow(who.Actor, accounts.ReadCampaigns); err != nil {
		return nil, err
	}
	v := &Viewer{hub: h, who: who, after: after, wake: make(chan struct{}, 1)}
	if err := h.join(v, feedKey{who.Actor.Workspace, campaign}); err != nil {
		return nil, err
	}
	select {
	case <-v.feed.ready:
	case <-ctx.Done():
		v.Close()
		return nil, ctx.Err()
	}
	if err := v.over(); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// join counts the viewer in and starts the campaign's reader if there is none.
func (h *Hub) join(v *Viewer, key feedKey) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.room(key.workspace); err != nil {
		return err
	}
	f, ok := h.feeds[key]
	if !ok {
		f = &feed{hub: h, key: key, ready: make(chan struct{}), viewers: make(map[*Viewer]struct{}), checked: h.Clock()}
		// The reader outlives the request that started it.
		reading, stop := context.WithCancel(context.Background())
		f.stop = stop
		h.feeds[key] = f
		h.readers.Go(func() { f.run(reading) })
	}
	h.viewers++
	h.of[key.workspace]++
	v.feed = f
	f.join(v, h.Clock())
	return nil
}

func (h *Hub) room(ws id.Workspace) error {
	switch {
	case h.stopping:
		return later("live.stopping", time.Second)
	case h.viewers >= h.MaxViewers:
		return later("live.full", 10*time.Second)
	case h.of[ws] >= h.MaxWorkspace:
		return later("live.workspace_full", 10*time.Second, "limit", h.MaxWorkspace)
	}
	return nil
}

func later(code string, wait time.Duration, kv ...any) error {
	e := errs.New(code, kv...)
	e.RetryAfter = wait
	return e
}

// leave counts the viewer out; the last of a campaign ends its reader.
func (h *Hub) leave(v *Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.viewers--
	if h.of[v.feed.key.workspace]--; h.of[v.feed.key.workspace] == 0 {
		delete(h.of, v.feed.key.workspace)
	}
	if v.feed.leave(v) == 0 {
		h.drop(v.feed, ErrOver)
	}
}

// drop ends a feed for everybody in it. h.mu is held.
func (h *Hub) drop(f *feed, why error) {
	if h.feeds[f.key] == f {
		delete(h.feeds, f.key)
	}
	f.stop()
	f.end(why)
}

// read runs one reading in the feed's workspace, when there is room for it.
func (h *Hub) read(ctx context.Context, key feedKey, fn func(ctx context.Context, tx pgx.Tx) error) error {
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	return h.Pool.InWorkspace(ctx, key.workspace, func(tx pgx.Tx) error { return fn(ctx, tx) })
}

// Count is how many viewers there are, and campaigns that are read for them.
func (h *Hub) Count() (viewers, campaigns int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.viewers, len(h.feeds)
}
