// Package places owns who counts towards a portfolio's messaging limit: a place
// for each person, held before a message may go to them and free again after a
// day.
//
// The scheduler's leader reserves and sweeps, as engine; the claim in messages
// looks at the place again. It must not know runs' states or Meta.
package places

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Wanted is one person a message is about to go to.
type Wanted struct {
	Hash    []byte // keyed hash of the recipient
	Run     id.Run
	Ordinal int32
}

const sqlLockPortfolio = `
select messaging_limit, limit_known, reserve, places
from portfolio
where id = $1
for update`

// sqlLivePlaces: a place younger than 23 hours is good for one more message to
// the same person, whoever reserved it.
const sqlLivePlaces = `
select recipient_hash
from place
where portfolio_id = $1
  and recipient_hash = any ($2)
  and freed_at is null
  and coalesce(counted_at, reserved_at) > bareed_now() - interval '23 hours'`

// sqlTakePlaces: a place that was freed or is nearly over is taken over; it
// still counts as one until the sweep, so only new rows add to the portfolio.
const sqlTakePlaces = `
insert into place (portfolio_id, recipient_hash, run_id, ordinal)
select $1, w.hash, w.run_id, w.ordinal
from unnest($2::bytea[], $3::uuid[], $4::int[]) as w(hash, run_id, ordinal)
on conflict (portfolio_id, recipient_hash)
do update set run_id = excluded.run_id, ordinal = excluded.ordinal, reserved_at = bareed_now(),
    counted_at = null, freed_at = null
returning xmax = 0`

const sqlAddPlaces = `update portfolio set places = places + $2, updated_at = bareed_now() where id = $1`

// Reserve reserves places under the portfolio's rolling 24-hour limit and
// returns which of the wanted have one now. Meta counts unique people outside
// open service windows over all numbers of the portfolio; other tools may use
// it too, so a reserve is left (10 % by default). Called by the leader alone,
// as engine; the claim checks the place again. In order of wishing, so that
// what was planned first goes first.
func Reserve(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, wanted []Wanted) (granted []bool, err error) {
	granted = make([]bool, len(wanted))
	var limit *int
	var known bool
	var reserve float64
	var places int
	if err := tx.QueryRow(ctx, sqlLockPortfolio, portfolio).Scan(&limit, &known, &reserve, &places); err != nil {
		return nil, fmt.Errorf("lock the portfolio: %w", err)
	}
	if !known {
		return granted, nil
	}
	if limit == nil {
		for i := range granted {
			granted[i] = true
		}
		return granted, nil
	}
	live, err := livePlaces(ctx, tx, portfolio, wanted)
	if err != nil {
		return nil, err
	}
	free := int(float64(*limit)*(1-reserve)+0.001) - places // the share is a 32-bit float
	var taken, sharing []Wanted
	for i, w := range wanted {
		switch {
		case live[string(w.Hash)]:
			granted[i] = true
			sharing = append(sharing, w)
		case len(taken) < free:
			granted[i] = true
			taken = append(taken, w)
			live[string(w.Hash)] = true
		}
	}
	if err := sharePlaces(ctx, tx, portfolio, sharing); err != nil {
		return nil, err
	}
	return granted, takePlaces(ctx, tx, portfolio, taken)
}

// sqlSharePlaces marks places that further messages go out on (ordinal 0 is no
// message's): the failure of one must not free what another is on its way on.
const sqlSharePlaces = `
update place l
set ordinal = 0
from unnest($2::bytea[], $3::uuid[], $4::int[]) as w(hash, run_id, ordinal)
where l.portfolio_id = $1
  and l.recipient_hash = w.hash
  and l.counted_at is null
  and l.ordinal <> 0
  and (l.run_id, l.ordinal) <> (w.run_id, w.ordinal)`

func sharePlaces(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, sharing []Wanted) error {
	if len(sharing) == 0 {
		return nil
	}
	hashes, runs, ordinals := columnsOf(sharing)
	if _, err := tx.Exec(ctx, sqlSharePlaces, portfolio, hashes, runs, ordinals); err != nil {
		return fmt.Errorf("share places: %w", err)
	}
	return nil
}

func columnsOf(wanted []Wanted) (hashes [][]byte, runs []id.Run, ordinals []int32) {
	for _, w := range wanted {
		hashes, runs, ordinals = append(hashes, w.Hash), append(runs, w.Run), append(ordinals, w.Ordinal)
	}
	return hashes, runs, ordinals
}

func livePlaces(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, wanted []Wanted) (map[string]bool, error) {
	hashes := make([][]byte, len(wanted))
	for i, w := range wanted {
		hashes[i] = w.Hash
	}
	rows, err := tx.Query(ctx, sqlLivePlaces, portfolio, hashes)
	if err != nil {
		return nil, fmt.Errorf("look for places: %w", err)
	}
	live := map[string]bool{}
	var h []byte
	_, err = pgx.ForEachRow(rows, []any{&h}, func() error {
		live[string(h)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for places: %w", err)
	}
	return live, nil
}

func takePlaces(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, taken []Wanted) error {
	if len(taken) == 0 {
		return nil
	}
	hashes, runs, ordinals := columnsOf(taken)
	rows, err := tx.Query(ctx, sqlTakePlaces, portfolio, hashes, runs, ordinals)
	if err != nil {
		return fmt.Errorf("take places: %w", err)
	}
	added := 0
	var isNew bool
	_, err = pgx.ForEachRow(rows, []any{&isNew}, func() error {
		if isNew {
			added++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take places: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlAddPlaces, portfolio, added); err != nil {
		return fmt.Errorf("count places: %w", err)
	}
	return nil
}

// sqlSweepPlaces removes what was freed or is older than a day. The portfolio
// is locked first, as by a reservation, so the two never disagree.
const sqlSweepPlaces = `
with p as (
    select id
    from portfolio
    where id = $1
    for update
), gone as (
    delete from place l
    using p
    where l.portfolio_id = p.id
      and (l.freed_at is not null or coalesce(l.counted_at, l.reserved_at) < bareed_now() - interval '24 hours')
    returning 1
)
update portfolio
set places = places - (select count(*) from gone)
where id = $1
  and exists (select from gone)`

// Sweep removes the places of a portfolio that were freed or are over.
func Sweep(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio) error {
	if _, err := tx.Exec(ctx, sqlSweepPlaces, portfolio); err != nil {
		return fmt.Errorf("sweep places: %w", err)
	}
	return nil
}
