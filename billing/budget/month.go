package budget

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/billing/ratecard"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Month is a workspace's budget of the month and how it stands.
type Month struct {
	Budget
	Month    string         `json:"month" doc:"In the workspace's time zone: 2026-11"`
	Spent    *billing.Money `json:"spent" doc:"What was delivered in the month and has a known price, in the budget's currency; null without a budget"`
	Promised *billing.Money `json:"promised" doc:"What launched campaigns may still cost, by their estimates"`
	Left     *billing.Money `json:"left" doc:"Not below zero"`
	Unpriced int64          `json:"unpriced" doc:"Delivered in the month without a known price, or in another currency: not in spent"`
}

// left may be below zero.
func (m *Month) left() int64 { return m.Amount.Micros - m.Spent.Micros - m.Promised.Micros }

// Short is how much more what was launched may cost than is left; nil for nothing.
func (m *Month) Short() *billing.Money {
	if m.Amount == nil || m.left() >= 0 {
		return nil
	}
	return &billing.Money{Micros: -m.left(), Currency: m.Amount.Currency}
}

// GetMonth reads it.
func GetMonth(ctx context.Context, db pg.DB, ws id.Workspace) (Month, error) {
	all, err := read(ctx, db, ws, ws)
	if err != nil {
		return Month{}, err
	}
	return monthOf(ctx, db, ws, all[ws], id.Run{})
}

// sqlToday is the day and the end of the month in the workspace's zone.
const sqlToday = `
select (bareed_now() at time zone w.zone)::date,
    (date_trunc('month', bareed_now() at time zone w.zone) + interval '1 month') at time zone w.zone
from workspace w
where w.workspace_id = $1`

func monthOf(ctx context.Context, db pg.DB, ws id.Workspace, b Budget, run id.Run) (Month, error) {
	m := Month{Budget: b}
	var today, ends time.Time
	if err := db.QueryRow(ctx, sqlToday, ws).Scan(&today, &ends); err != nil {
		return m, fmt.Errorf("read the day: %w", err)
	}
	m.Month = today.Format("2006-01")
	if b.Amount == nil {
		return m, nil
	}
	currency := b.Amount.Currency
	spent, unpriced, err := spentIn(ctx, db, ws, today, currency)
	if err != nil {
		return m, err
	}
	m.Spent, m.Unpriced = &billing.Money{Micros: spent, Currency: currency}, unpriced
	promised, err := promises(ctx, db, ws, currency, run)
	if err != nil {
		return m, err
	}
	m.Promised = &billing.Money{Micros: promised, Currency: currency}
	m.Left = &billing.Money{Micros: max(m.left(), 0), Currency: currency}
	return m, nil
}

const sqlAccounts = `
select w.portfolio_id, min(w.currency)
from waba w
where w.workspace_id = $1
group by w.portfolio_id
order by w.portfolio_id`

// spentIn prices what the workspace had delivered in a month up to a day, from the
// counts that costs are shown from: rows of a month, never messages.
func spentIn(ctx context.Context, db pg.DB, ws id.Workspace, day time.Time, currency string) (micros, unpriced int64, err error) {
	type account struct {
		Portfolio id.Portfolio
		Currency  string
	}
	list, err := pg.All(ctx, db, "read the accounts that are charged", pgx.RowToStructByPos[account], sqlAccounts, ws)
	if err != nil {
		return 0, 0, err
	}
	month := billing.MonthOf(day)
	cards, err := ratecard.Between(ctx, db, ws, month, day)
	if err != nil {
		return 0, 0, err
	}
	for _, a := range list {
		lines, err := charges.Between(ctx, db, ws, a.Portfolio, month, day, id.Run{})
		if err != nil {
			return 0, 0, err
		}
		pick := func(day time.Time) (*ratecard.Priced, string) { return cards.In(a.Currency, day) }
		for _, l := range charges.Bill(pick, charges.Volumes{}, lines) {
			switch {
			case l.Charged && l.Currency == currency:
				micros += l.Micros
			case l.Charged || l.Unknown != "":
				unpriced += l.N
			}
		}
	}
	return micros, unpriced, nil
}

const sqlPromising = `
select r.id
from run r
where r.workspace_id = $1
  and r.kind = 'campaign'
  and r.state in ('planning', 'running', 'finishing')
  and r.settled_at is null
  and r.id <> $2
order by r.id`

// promises is what launched runs may still cost at their estimates.
func promises(ctx context.Context, db pg.DB, ws id.Workspace, currency string, but id.Run) (int64, error) {
	runs, err := pg.All(ctx, db, "read what was launched", pgx.RowTo[id.Run], sqlPromising, ws, [16]byte(but))
	if err != nil {
		return 0, err
	}
	var promised int64
	for _, run := range runs {
		fixed, err := estimate.OfRun(ctx, db, ws, run)
		if err != nil {
			return 0, err
		}
		total := sum(fixed).total
		if total == nil || total.Currency != currency {
			continue
		}
		lines, err := charges.OfRun(ctx, db, ws, run)
		if err != nil {
			return 0, err
		}
		promised += max(0, total.Micros-pricesOf(fixed).settled(lines))
	}
	return promised, nil
}

// prices is what one message costs by country, at a run's estimate: rounded up,
// so that a budget is never passed by rounding. A country that is missing has no
// known price.
type prices map[string]int64

func pricesOf(fixed []estimate.Fixed) prices {
	p := prices{}
	for _, f := range fixed {
		if n := f.People - f.Free; f.Micros != nil && n > 0 {
			p[f.Country] = (*f.Micros + n - 1) / n
		}
	}
	return p
}

// settled is what the messages of a run that were delivered or failed were
// estimated at: these are over, and cost what they did.
func (p prices) settled(lines []charges.Line) (micros int64) {
	for _, l := range lines {
		if l.Outcome == charges.Delivered || l.Outcome == charges.Failed {
			micros += p[l.Country] * l.N
		}
	}
	return micros
}
