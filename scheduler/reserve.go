package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers/places"
)

// placeWait is when a message without a place under the portfolio's limit is
// looked at again.
const placeWait = 30 * time.Second

// placeLocks keeps one portfolio's lock from holding every number's tick.
const placeLocks = `set local lock_timeout = '300ms'`

// reserve splits candidates into those who may go now and those that came back
// and wait for the next free place under the portfolio's limit. People in an
// open service window need none and are not asked for. The cursor stays before
// the first fresh one without a place: what nobody ever handed over waits there,
// at no cost, and not as rows to be looked at again.
func (s *Scheduler) reserve(ctx context.Context, r feedRun, list []messages.Candidate, cursor int32) (
	now []messages.Candidate, later []id.Message, upTo int32, err error) {
	var wanted []places.Wanted
	for _, c := range list {
		if !c.Window {
			wanted = append(wanted, places.Wanted{Hash: c.Hash, Run: r.Run, Ordinal: c.Ordinal, InTurn: c.Fresh})
		}
	}
	granted, err := s.claimable(ctx, r, wanted)
	if err != nil {
		return nil, nil, cursor, err
	}
	next := 0
	for _, c := range list {
		may := c.Window
		if !may {
			may = granted[next]
			next++
		}
		switch {
		case may:
			now = append(now, c)
		case c.Fresh:
			return now, later, c.Ordinal - 1, nil
		default:
			later = append(later, id.Message{Run: r.Run, Ordinal: c.Ordinal})
		}
	}
	return now, later, cursor, nil
}

// claimable asks for a run's places.
func (s *Scheduler) claimable(ctx context.Context, r feedRun, wanted []places.Wanted) (granted []bool, err error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	ask := places.Ask{Portfolio: r.Portfolio, Workspace: r.Workspace, Kind: r.Kind, Share: r.Share, Ahead: s.feeder.ahead(r)}
	err = s.Pool.InEngine(ctx, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, placeLocks); err != nil {
			return fmt.Errorf("wait for locks briefly: %w", err)
		}
		granted, err = places.Reserve(ctx, tx, ask, wanted)
		return err
	})
	return granted, err
}

// farSight is how far a run that waits for places looks ahead in one tick for
// people who need none: about a thousand a second.
const farSight = 250

// ahead adds people in an open service window from behind the one who waits for
// a place, tick by tick through the rest of the run and round again.
func (s *Scheduler) ahead(ctx context.Context, r feedRun, b messages.Backlog, waits int32, now []messages.Candidate, most int) ([]messages.Candidate, error) {
	room := most - len(now)
	if room <= 0 {
		return now, nil
	}
	from, to := s.feeder.look(r.Run, waits, b.Planned)
	var more []messages.Candidate
	err := s.Pool.InLedgerBriefly(ctx, r.Workspace, func(tx pgx.Tx) (err error) {
		more, err = messages.Ahead(ctx, tx, r.Workspace, r.Run, b, from, to, room)
		return err
	})
	return append(now, more...), err
}

// line is who stands before whom for places. All of it may be lost.
type line struct {
	runs  []feedRun
	held  map[id.Run]bool  // not to be fed at the last look: what they want is nobody's concern
	looks map[id.Run]int32 // how far those who wait have looked ahead
}

func newLine() line { return line{held: map[id.Run]bool{}, looks: map[id.Run]int32{}} }

// form takes the runs of this tick.
func (l *line) form(runs []feedRun) {
	l.runs = runs
	live := map[id.Run]bool{}
	for _, r := range runs {
		live[r.Run] = true
	}
	for r := range l.held {
		if !live[r] {
			delete(l.held, r)
		}
	}
	for r := range l.looks {
		if !live[r] {
			delete(l.looks, r)
		}
	}
}

// note keeps whether a run may be fed.
func (f *feeder) note(run id.Run, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue.held[run] = !open
}

// priorities, the first goes first.
var priorities = []string{"high", "normal", "low"}

// ahead is what runs of a higher priority want of the same portfolio: the people
// they have still to reach, of a slow one those of a day. A run that is held
// wants nothing.
func (f *feeder) ahead(r feedRun) (all []places.Demand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := &f.queue
	rank := slices.Index(priorities, r.Priority)
	for _, o := range l.runs {
		if o.Portfolio != r.Portfolio || slices.Index(priorities, o.Priority) >= rank || l.held[o.Run] || o.Left <= 0 {
			continue
		}
		people := o.Left
		if o.PerMinute != nil {
			people = min(people, *o.PerMinute*24*60)
		}
		all = append(all, places.Demand{Share: o.Share, Kind: o.Kind, People: people})
	}
	return all
}

// look is the next stretch that a run which waits for places looks over.
func (f *feeder) look(run id.Run, waits, planned int32) (from, to int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := &f.queue
	from = max(l.looks[run], waits)
	if from >= planned {
		from = waits
	}
	to = min(from+farSight, planned)
	l.looks[run] = to
	return from, to
}
