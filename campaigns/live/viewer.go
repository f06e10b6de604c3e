package live

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
)

// Viewer is one who watches a campaign. Next is for one goroutine.
type Viewer struct {
	hub    *Hub
	feed   *feed
	wake   chan struct{} // something may be there; one is enough
	closed sync.Once
	after  int64 // the last event that was given; Next's alone

	// Under the feed's lock:
	who     accounts.Identity
	seen    int64 // version of the picture that was given
	since   time.Time
	quiet   time.Time // since when nothing was given
	beat    bool
	refused error
}

// Next waits for something new and returns it: events in their order without a
// gap, each once, and the newest figures; or a Beat after 15 seconds of quiet.
// A viewer that comes late gets every event it missed and the newest figures
// only. It ends with ErrOver, with ctx, with the *errs.Error that a new request
// would get (the credential ended, its role fell, the campaign was deleted),
// or when the database failed.
func (v *Viewer) Next(ctx context.Context) (Update, error) {
	for {
		base, err := v.behind()
		if err != nil {
			return Update{}, err
		}
		if v.after < base {
			u, err := v.catchUp(ctx, base)
			if err != nil || !u.Beat() {
				return u, err
			}
			continue
		}
		if u, ok := v.take(); ok {
			return u, nil
		}
		select {
		case <-ctx.Done():
			return Update{}, ctx.Err()
		case <-v.wake:
		}
	}
}

// Close ends watching. Again is harmless.
func (v *Viewer) Close() { v.closed.Do(func() { v.hub.leave(v) }) }

// over is why the viewer must go, or nil.
func (v *Viewer) over() error {
	v.feed.mu.Lock()
	defer v.feed.mu.Unlock()
	return v.why()
}

func (v *Viewer) why() error {
	if v.refused != nil {
		return v.refused
	}
	return v.feed.ended
}

// behind is the event after which the feed keeps all.
func (v *Viewer) behind() (base int64, err error) {
	v.feed.mu.Lock()
	defer v.feed.mu.Unlock()
	return v.feed.base, v.why()
}

// catchUp reads events for this viewer alone that the feed no longer keeps.
func (v *Viewer) catchUp(ctx context.Context, base int64) (Update, error) {
	var events []campaigns.Event
	key := v.feed.key
	limit := int(min(base-v.after, eventsAtOnce))
	err := v.hub.read(ctx, key, func(ctx context.Context, tx pgx.Tx) (err error) {
		events, err = campaigns.Events(ctx, tx, key.workspace, key.campaign, v.after, limit)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			v.hub.Log.WarnContext(ctx, "catch up with a campaign's events", "campaign", key.campaign.String(), "err", err)
		}
		return Update{}, fmt.Errorf("catch up with the events: %w", err)
	}
	if len(events) == 0 {
		v.after = base // nothing is kept that old
		return Update{}, nil
	}
	v.after = events[len(events)-1].Sequence
	v.feed.mu.Lock()
	v.quiet = v.hub.Clock()
	v.feed.mu.Unlock()
	return Update{Events: entries(events)}, nil
}

// take is what the feed has that the viewer has not seen.
func (v *Viewer) take() (Update, bool) {
	f := v.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended != nil || v.refused != nil || v.after < f.base {
		v.poke() // Next looks again
		return Update{}, false
	}
	var u Update
	if v.after < f.last {
		u.Events = f.since(v.after)
		v.after = f.last
	}
	if f.picture != nil && f.picture.Version > v.seen && accounts.Allow(v.who.Actor, accounts.ReadReports) == nil {
		u.Picture = f.picture
		v.seen = f.picture.Version
	}
	beat := v.beat
	v.beat = false
	if !u.Beat() {
		v.quiet = v.hub.Clock()
	}
	return u, beat || !u.Beat()
}

// poke wakes Next.
func (v *Viewer) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}
