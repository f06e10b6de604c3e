// Package places owns who counts towards a portfolio's messaging limit: a place
// for each person, held before a message may go to them and free again after a
// day; and who may take a free one (rule.go).
//
// The scheduler's leader reserves and sweeps, as engine; the claim in messages
// looks at the place again. People in an open service window need none and are
// not asked for. It must not know runs' states or Meta.
package places

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Ask is a run that wants places.
type Ask struct {
	Portfolio id.Portfolio
	Workspace id.Workspace
	Kind      string   // of the run
	Share     string   // that its campaign names; empty: none
	Ahead     []Demand // of runs that go before it
}

// Wanted is one person a message is about to go to.
type Wanted struct {
	Hash    []byte // keyed hash of the recipient
	Run     id.Run
	Ordinal int32
	InTurn  bool // when this one is refused, those in turn behind it wait with it
}

// sqlLockPortfolio finds nothing when there is no limit to keep, and locks
// nothing then.
const sqlLockPortfolio = `
select messaging_limit, reserve, places
from portfolio
where id = $1
  and limit_known
  and not recount
  and messaging_limit is not null
for update`

const sqlUnlimited = `
select limit_known and messaging_limit is null
from portfolio
where id = $1`

const sqlShares = `
select name, size, used, kinds
from portfolio_share
where portfolio_id = $1
order by name`

// sqlFindPlaces locks them: one that arrives late is counted meanwhile.
const sqlFindPlaces = `
select recipient_hash, run_id, coalesce(ordinal, -1), coalesce(share, ''),
    freed_at is null and over_at > bareed_now(),
    coalesce(counted_at > bareed_now() - interval '24 hours', false),
    reserved_at > bareed_now() - interval '10 minutes',
    freed_at is not null,
    date_bin('15 minutes', taken_at, 'epoch')
from place
where portfolio_id = $1
  and recipient_hash = any ($2)
order by recipient_hash
for update`

// Reserve reserves places under the portfolio's rolling 24-hour limit and
// returns which of the wanted have one now. Meta counts unique people outside
// open service windows over all numbers of the portfolio; other tools may use
// it too, so a reserve is left (10 % by default). Called by the leader alone,
// as engine; the claim checks the place again, and for an hour. In order of
// wishing, so that what was planned first goes first. Who waits in turn behind one
// that is refused is not asked for: a place of theirs that runs out meanwhile is
// the one that is waited for. Without a limit nothing is written and nothing locked.
func Reserve(ctx context.Context, tx pgx.Tx, a Ask, wanted []Wanted) (granted []bool, err error) {
	granted = make([]bool, len(wanted))
	pool, found, limited, err := look(ctx, tx, a.Portfolio, wanted)
	if err != nil {
		return nil, err
	}
	if !limited {
		var unlimited bool
		if err := tx.QueryRow(ctx, sqlUnlimited, a.Portfolio).Scan(&unlimited); err != nil {
			return nil, fmt.Errorf("read the portfolio: %w", err)
		}
		for i := range granted {
			granted[i] = unlimited
		}
		return granted, nil
	}
	before := slices.Clone(pool.Shares)
	d := newDesk(pool, a.Share, a.Kind, a.Ahead)
	w := writing{ask: a, added: -pool.Taken}
	waits := false
	for i, want := range wanted {
		if waits && want.InTurn {
			continue
		}
		f := found[string(want.Hash)]
		f.mine = f.there && f.run == want.Run && f.ordinal == want.Ordinal
		f.held = f.mine || f.there && f.ordinal == 0
		v, share := d.ask(f.row)
		granted[i] = v == given || v == renewed || v == taken
		waits = waits || want.InTurn && !granted[i]
		w.note(v, want, share, f)
		switch v {
		case taken:
			found[string(want.Hash)] = place{row: row{there: true, live: true, fresh: true, share: share}, run: want.Run, ordinal: want.Ordinal}
		case renewed:
			f.share, f.ordinal = share, 0
			found[string(want.Hash)] = f
		}
	}
	w.added += d.Taken
	for i, s := range d.Shares {
		if n := s.Used - before[i].Used; n != 0 {
			w.shares, w.used = append(w.shares, s.Name), append(w.used, int32(n))
		}
	}
	return granted, w.write(ctx, tx)
}

// place is a row with what identifies its message.
type place struct {
	row
	run     id.Run
	ordinal int32
	freed   bool
	quarter time.Time // in which it was taken
}

// look reads the portfolio and the places of the wanted in one round trip, and
// locks them. limited is false when there is no limit to keep, or none known.
func look(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, wanted []Wanted) (p Pool, found map[string]place, limited bool, err error) {
	hashes := make([][]byte, len(wanted))
	for i, w := range wanted {
		hashes[i] = w.Hash
	}
	found = make(map[string]place, len(wanted))
	b := &pgx.Batch{}
	b.Queue(sqlLockPortfolio, portfolio).QueryRow(func(r pgx.Row) error {
		var reserve float64
		err := r.Scan(&p.Limit, &reserve, &p.Taken)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		limited = err == nil
		p.Effective = effective(p.Limit, reserve)
		return err
	})
	b.Queue(sqlShares, portfolio).Query(func(rows pgx.Rows) (err error) {
		p.Shares, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Share])
		return err
	})
	b.Queue(sqlFindPlaces, portfolio, hashes).Query(func(rows pgx.Rows) error {
		var h []byte
		var f place
		_, err := pgx.ForEachRow(rows, []any{&h, &f.run, &f.ordinal, &f.share, &f.live, &f.counted, &f.fresh, &f.freed, &f.quarter}, func() error {
			f.there = true
			found[string(h)] = f
			return nil
		})
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return p, nil, false, fmt.Errorf("look at the portfolio's places: %w", err)
	}
	return p, found, limited, nil
}

// writing is what a call of Reserve changes.
type writing struct {
	ask    Ask
	taken  []held
	renew  []held
	back   []held
	added  int // to the portfolio's places
	shares []string
	used   []int32 // by share
	uses   int     // places that this run took now
	undone []place // freed ones that were taken over: their run did not use them
}

type held struct {
	Wanted
	share string
}

func (w *writing) note(v verdict, want Wanted, share string, was place) {
	h := held{want, share}
	switch v {
	case taken:
		w.taken = append(w.taken, h)
		w.uses++
		if was.freed {
			w.undone = append(w.undone, was)
		}
	case renewed:
		w.renew = append(w.renew, h)
	case gaveBack:
		w.back = append(w.back, h)
	}
}

// sqlTake: a place that was freed or is over is taken over.
const sqlTake = `
insert into place (portfolio_id, recipient_hash, run_id, ordinal, share)
select $1, w.hash, w.run_id, w.ordinal, nullif(w.share, '')
from unnest($2::bytea[], $3::uuid[], $4::int[], $5::text[]) as w(hash, run_id, ordinal, share)
on conflict (portfolio_id, recipient_hash)
do update set run_id = excluded.run_id, ordinal = excluded.ordinal, share = excluded.share, taken_at = excluded.taken_at,
    reserved_at = excluded.reserved_at, counted_at = null, freed_at = null, over_at = excluded.over_at`

// sqlRenew holds places for a message more. Of several on their way (ordinal 0)
// the failure of one must not free what another is on its way on.
const sqlRenew = `
update place l
set run_id = case when l.ordinal is null then w.run_id else l.run_id end,
    ordinal = case when l.ordinal is null or l.run_id = w.run_id and l.ordinal = w.ordinal then w.ordinal else 0 end,
    share = nullif(w.share, ''),
    reserved_at = bareed_now(),
    over_at = greatest(l.over_at, bareed_now() + interval '25 hours')
from unnest($2::bytea[], $3::uuid[], $4::int[], $5::text[]) as w(hash, run_id, ordinal, share)
where l.portfolio_id = $1
  and l.recipient_hash = w.hash`

const sqlGiveBack = `select place_free($1, $2, $3, $4)`

const sqlAddPlaces = `update portfolio set places = places + $2, updated_at = bareed_now() where id = $1`

const sqlAddShares = `
update portfolio_share s
set used = s.used + x.n
from unnest($2::text[], $3::int[]) as x(name, n)
where s.portfolio_id = $1
  and s.name = x.name`

const sqlAddUse = `
insert into place_use (portfolio_id, at, run_id, workspace_id, places)
values ($1, date_bin('15 minutes', bareed_now(), 'epoch'), $2, $3, $4)
on conflict (portfolio_id, at, run_id) do update
set places = place_use.places + excluded.places`

const sqlUndoUse = `
update place_use
set places = places - $4
where portfolio_id = $1
  and at = $2
  and run_id = $3`

// write does all of it in one round trip. What is written in a call is of one
// run, or at least the first one's in the calendar.
func (w *writing) write(ctx context.Context, tx pgx.Tx) error {
	b := &pgx.Batch{}
	portfolio := w.ask.Portfolio
	if len(w.taken) > 0 {
		hashes, runs, ordinals, shares := columnsOf(w.taken)
		b.Queue(sqlTake, portfolio, hashes, runs, ordinals, shares)
		b.Queue(sqlAddUse, portfolio, w.taken[0].Run, w.ask.Workspace, w.uses)
	}
	if len(w.renew) > 0 {
		hashes, runs, ordinals, shares := columnsOf(w.renew)
		b.Queue(sqlRenew, portfolio, hashes, runs, ordinals, shares)
	}
	for _, h := range w.back {
		b.Queue(sqlGiveBack, h.Run, []int32{h.Ordinal}, [][]byte{h.Hash}, portfolio)
	}
	if w.added != 0 {
		b.Queue(sqlAddPlaces, portfolio, w.added)
	}
	if len(w.shares) > 0 {
		b.Queue(sqlAddShares, portfolio, w.shares, w.used)
	}
	for _, u := range w.undone {
		b.Queue(sqlUndoUse, portfolio, u.quarter, u.run, 1)
	}
	if b.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("reserve places: %w", err)
	}
	return nil
}

// columnsOf is in order of the person, as every statement that locks places.
func columnsOf(list []held) (hashes [][]byte, runs []id.Run, ordinals []int32, shares []string) {
	slices.SortFunc(list, func(a, b held) int { return bytes.Compare(a.Hash, b.Hash) })
	for _, h := range list {
		hashes, runs, ordinals, shares = append(hashes, h.Hash), append(runs, h.Run), append(ordinals, h.Ordinal), append(shares, h.share)
	}
	return hashes, runs, ordinals, shares
}
