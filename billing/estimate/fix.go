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

// sqlRunToFix finds a run without an estimate and the newest check of its
// campaign.
const sqlRunToFix = `
select r.campaign_id, k.id, case when r.transport = 'marketing_messages' then 'marketing_lite' else r.purpose end, r.portfolio_id, w.currency, (r.starts_at at time zone v.zone)::date,
    r.starts_at > k.finished_at + interval '24 hours'
from run r
join waba w on w.workspace_id = r.workspace_id and w.id = r.waba_id
join workspace v on v.workspace_id = r.workspace_id
cross join lateral (
    select p.id, p.finished_at
    from plan_check p
    where p.workspace_id = r.workspace_id
      and p.campaign_id = r.campaign_id
      and p.state = 'completed'
    order by p.id desc
    limit 1) k
where r.workspace_id = $1
  and r.id = $2
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
	var k id.Check
	var s source
	err := tx.QueryRow(ctx, sqlRunToFix, ws, run).Scan(&campaign, &k, &s.category, &s.portfolio, &s.currency, &s.day, &s.late)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // fixed already, or nothing was checked
	}
	if err != nil {
		return fmt.Errorf("read the run to estimate: %w", err)
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
	return pg.All(ctx, db, "read the run's estimate", pgx.RowToStructByPos[Fixed], sqlFixed, ws, run)
}

// Amount is the fixed price as money; nil where it is not known.
func (f Fixed) Amount() *billing.Money {
	if f.Micros == nil {
		return nil
	}
	return &billing.Money{Micros: *f.Micros, Currency: f.Currency}
}
