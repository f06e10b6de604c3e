package estimate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlRunToFix = `
select r.campaign_id, r.starts_at, r.purpose, r.portfolio_id, w.currency
from run r
join waba w on w.workspace_id = r.workspace_id and w.id = r.waba_id
where r.workspace_id = $1
  and r.id = $2
  and r.campaign_id is not null
  and not exists (
    select from run_estimate e
    where e.workspace_id = r.workspace_id
      and e.run_id = r.id)`

const sqlFix = `
insert into run_estimate (workspace_id, run_id, country, people, free, category, tiers, market, before, card_id, currency, micros,
    why, day)
select $1, $2, l.country, l.people, l.free, l.category, l.tiers, l.market, l.before, $11, $12, nullif(l.micros, -1), l.why, $13::date
from unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bool[], $8::text[], $9::bigint[], $10::bigint[], $14::text[])
    as l(country, people, free, category, tiers, market, before, micros, why)
on conflict do nothing`

// Fix keeps what a run is estimated to cost, from the newest check of its
// campaign. It belongs in the transaction of the launch; a run that recurs by
// itself is fixed when it is first counted. Once fixed it stays.
func Fix(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	var campaign id.Campaign
	var starts time.Time
	var s source
	err := tx.QueryRow(ctx, sqlRunToFix, ws, run).Scan(&campaign, &starts, &s.category, &s.portfolio, &s.currency)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the run to estimate: %w", err)
	}
	k, checked, err := latest(ctx, tx, ws, campaign)
	if err != nil || k.IsZero() {
		return err
	}
	if err := s.at(ctx, tx, ws, starts, checked); err != nil {
		return err
	}
	e, err := s.estimate(ctx, tx, ws, campaign, k, run)
	if err != nil {
		return err
	}
	return e.keep(ctx, tx, ws, run, s.day)
}

func (e *Estimate) keep(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, day time.Time) error {
	n := len(e.Lines)
	countries, categories, markets, why := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	people, free, before, micros := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	tiers := make([]bool, n)
	for i, l := range e.Lines {
		countries[i], people[i], free[i], categories[i], tiers[i] = l.Country, l.People, l.Free, l.Category, l.tiers
		markets[i], before[i], micros[i], why[i] = l.Market, l.Before, -1, l.Why
		if l.Amount != nil {
			micros[i] = l.Amount.Micros
		}
	}
	var card id.RateCard
	var currency string
	if e.Card != nil {
		card, currency = e.Card.ID, e.Card.Currency
	}
	_, err := tx.Exec(ctx, sqlFix, ws, run, countries, people, free, categories, tiers, markets, before, micros, card, currency, day, why)
	if err != nil {
		return fmt.Errorf("keep the run's estimate: %w", err)
	}
	return nil
}

// Fixed is the estimate of a run by country, as it was when it was launched.
type Fixed struct {
	Country  string
	People   int64
	Free     int64
	Category string
	Tiers    bool
	Market   string
	Before   int64
	Card     id.RateCard
	Currency string
	Micros   *int64 // nil: not known
	Why      string
	Day      time.Time
}

const sqlFixed = `
select country, people, free, category, tiers, market, before, card_id, currency, micros, why, day
from run_estimate
where workspace_id = $1
  and run_id = $2
order by people desc, country`

// OfRun reads what Fix kept; nothing for a run that was never estimated.
func OfRun(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) ([]Fixed, error) {
	rows, err := db.Query(ctx, sqlFixed, ws, run)
	if err != nil {
		return nil, fmt.Errorf("read the run's estimate: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Fixed])
	if err != nil {
		return nil, fmt.Errorf("read the run's estimate: %w", err)
	}
	return list, nil
}

// Amount is the fixed price as money; nil where it is not known.
func (f Fixed) Amount() *billing.Money {
	if f.Micros == nil {
		return nil
	}
	return &billing.Money{Micros: *f.Micros, Currency: f.Currency}
}
