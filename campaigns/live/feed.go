package live

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/errs"
)

// feed is one campaign that is watched. Its one goroutine reads; viewers take.
type feed struct {
	hub      *Hub
	key      feedKey
	stop     context.CancelFunc
	ready    chan struct{} // closed when the first reading was done or given up
	failures int           // rounds in a row; the reader's alone
	checked  time.Time     // when credentials were; the reader's alone

	mu      sync.Mutex
	viewers map[*Viewer]struct{}
	ended   error
	base    int64    // kept holds every event after this one,
	last    int64    // up to this one
	kept    []*Entry // only ever appended to or replaced, so viewers may hold parts of it
	picture *Picture // nil before the launch
}

func (f *feed) join(v *Viewer, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v.since, v.quiet = now, now
	f.viewers[v] = struct{}{}
}

func (f *feed) leave(v *Viewer) (left int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.viewers, v)
	v.refused = cmp.Or(v.refused, ErrOver)
	return len(f.viewers)
}

// end tells all viewers why; the first reason stays.
func (f *feed) end(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		f.ended = why
	}
	for v := range f.viewers {
		v.poke()
	}
}

// run reads until the last viewer leaves, the hub stops or reading is hopeless.
func (f *feed) run(ctx context.Context) {
	ticks, stop := f.hub.Tick(readEvery)
	defer stop()
	err := f.begin(ctx)
	for {
		if err != nil {
			f.hub.mu.Lock()
			f.hub.drop(f, err)
			f.hub.mu.Unlock()
		}
		select {
		case <-f.ready:
		default:
			close(f.ready)
		}
		if err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			err = f.round(ctx)
		}
	}
}

// news is what one reading found.
type news struct {
	base   int64 // of the first reading
	events []campaigns.Event
	report campaigns.Report
}

// begin reads the newest events and the figures for the first time.
func (f *feed) begin(ctx context.Context) error {
	var n news
	err := f.hub.read(ctx, f.key, func(ctx context.Context, tx pgx.Tx) error {
		last, err := campaigns.LastSequence(ctx, tx, f.key.workspace, f.key.campaign)
		if err != nil {
			return err
		}
		n.base = max(0, last-keptEvents)
		return f.read(ctx, tx, n.base, &n)
	})
	if err != nil {
		return fmt.Errorf("begin to watch: %w", err)
	}
	f.base, f.last = n.base, n.base // nobody looks before ready
	return f.publish(n)
}

// round is what happens every second. It returns an error when nobody can go on.
func (f *feed) round(ctx context.Context) error {
	err := f.look(ctx)
	f.keepTime(f.hub.Clock())
	switch {
	case err == nil:
		f.failures = 0
		return nil
	case ctx.Err() != nil:
		return nil // nobody is left
	case errs.Is(err, "not_found"):
		return err
	}
	if f.failures++; f.failures == 1 || f.failures == maxFailures {
		f.hub.Log.WarnContext(ctx, "watch a campaign", "campaign", f.key.campaign.String(), "rounds_failed", f.failures, "err", err)
	}
	if f.failures < maxFailures {
		return nil // an outage may pass; viewers keep what they have
	}
	return err
}

// look reads what is new and, when it is time, whether all may still see it.
func (f *feed) look(ctx context.Context) error {
	if now := f.hub.Clock(); now.Sub(f.checked) >= checkEvery {
		if err := f.recheck(ctx); err != nil {
			return err
		}
		f.checked = now
	}
	var n news
	err := f.hub.read(ctx, f.key, func(ctx context.Context, tx pgx.Tx) error {
		return f.read(ctx, tx, f.last, &n)
	})
	if err != nil {
		return fmt.Errorf("look at the campaign: %w", err)
	}
	return f.publish(n)
}

// read takes the events before the figures, so that whoever was told of an
// event is shown figures at least as new.
func (f *feed) read(ctx context.Context, tx pgx.Tx, after int64, n *news) (err error) {
	if n.events, err = campaigns.Events(ctx, tx, f.key.workspace, f.key.campaign, after, keptEvents); err != nil {
		return err
	}
	n.report, err = campaigns.GetReport(ctx, tx, f.key.workspace, f.key.campaign)
	if errs.Is(err, "campaign.not_launched") {
		return nil
	}
	return err
}

// publish adds what was found and wakes the viewers if it is new to them.
func (f *feed) publish(n news) error {
	var fresh *Picture
	if !n.report.RunID.IsZero() && f.differs(n.report) {
		written, err := json.Marshal(n.report)
		if err != nil {
			return fmt.Errorf("write the figures: %w", err)
		}
		fresh = &Picture{Version: 1, Report: n.report, JSON: written}
	}
	if fresh == nil && len(n.events) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fresh != nil {
		if f.picture != nil {
			fresh.Version = f.picture.Version + 1
		}
		f.picture = fresh
	}
	f.keep(n.events)
	for v := range f.viewers {
		v.poke()
	}
	return nil
}

// keep appends events and forgets the oldest beyond the bound.
func (f *feed) keep(events []campaigns.Event) {
	if len(events) == 0 {
		return
	}
	f.kept = append(f.kept, entries(events)...)
	f.last = events[len(events)-1].Sequence
	if len(f.kept) > 2*keptEvents {
		f.kept = slices.Clone(f.kept[len(f.kept)-keptEvents:])
		f.base = f.kept[0].Sequence - 1
	}
}

// since is what is kept after a sequence. f.mu is held.
func (f *feed) since(after int64) []*Entry {
	i, _ := slices.BinarySearchFunc(f.kept, after+1, func(e *Entry, n int64) int { return cmp.Compare(e.Sequence, n) })
	return slices.Clip(f.kept[i:])
}

// differs tells whether the figures are worth telling: anything but their time
// has changed, or their time has moved so far that the old one would worry.
// Only the reader replaces the picture, so it reads it without the lock.
func (f *feed) differs(r campaigns.Report) bool {
	if f.picture == nil || r.At.Sub(f.picture.Report.At) >= staleAfter {
		return true
	}
	r.At = f.picture.Report.At
	return !reflect.DeepEqual(r, f.picture.Report)
}

// keepTime ends viewers whose time is over and gives quiet ones their beat.
func (f *feed) keepTime(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for v := range f.viewers {
		switch {
		case now.Sub(v.since) >= whole && v.refused == nil:
			v.refused = ErrOver
			v.poke()
		case now.Sub(v.quiet) >= beatEvery:
			v.quiet, v.beat = now, true
			v.poke()
		}
	}
}

// recheck looks again whether the viewers may still watch: one statement for
// all sessions and one for all keys, however many viewers.
func (f *feed) recheck(ctx context.Context) error {
	f.mu.Lock()
	viewers := make([]*Viewer, 0, len(f.viewers))
	who := make([]*accounts.Identity, 0, len(f.viewers))
	for v := range f.viewers {
		held := v.who
		viewers, who = append(viewers, v), append(who, &held)
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	verdicts, err := accounts.Refresh(ctx, f.hub.Pool, f.key.workspace, who)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, v := range viewers {
		v.who = *who[i]
		if v.refused != nil {
			continue
		}
		if v.refused = allowed(*who[i], verdicts[i]); v.refused != nil {
			v.poke()
		}
	}
	return nil
}

// allowed is the gate's judgement of who watches.
func allowed(who accounts.Identity, verdict error) error {
	switch {
	case verdict != nil:
		return verdict
	case who.Suspended:
		return errs.New("workspace.suspended")
	}
	return accounts.Allow(who.Actor, accounts.ReadCampaigns)
}
