package charges

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/ratecard"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Line is messages of one outcome that a price cannot tell apart.
type Line struct {
	Order   int // of runs within a day: those before the one asked for, itself (0), those after
	Outcome string
	Day     time.Time
	Country string
	billing.Receipt
	N int64
}

const sqlLines = `
select 0, outcome, day, country, model, type, category, billable, messages
from run_charge
where workspace_id = $1
  and run_id = $2
order by outcome, day, country, model, type, category, billable`

// OfRun reads a run's counts, all outcomes; their sum is the run's messages.
func OfRun(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) ([]Line, error) {
	return collect(ctx, db, sqlLines, ws, run)
}

// sqlMonth is what was delivered in a portfolio, by the order in which tiers
// count it: by day, and within a day by run, the older first. One row for each
// combination of a day's, not for each run.
const sqlMonth = `
select case when run_id < $5 then -1 when run_id > $5 then 1 else 0 end, 'delivered', day, country, model, type, category,
    billable, sum(messages)::bigint
from run_charge
where workspace_id = $1
  and portfolio_id = $2
  and outcome = 'delivered'
  and day between $3::date and $4::date
group by 1, 3, 4, 5, 6, 7, 8
order by 3, 1, 4, 5, 6, 7, 8`

// Between reads what the workspace's runs delivered in a portfolio from a day to
// another, both included, told apart as before, of and after a run.
func Between(ctx context.Context, db pg.DB, ws id.Workspace, p id.Portfolio, first, last time.Time, run id.Run) ([]Line, error) {
	return collect(ctx, db, sqlMonth, ws, p, first, last, [16]byte(run))
}

func collect(ctx context.Context, db pg.DB, sql string, args ...any) ([]Line, error) {
	return pg.All(ctx, db, "read the counts", func(row pgx.CollectableRow) (l Line, err error) {
		return l, row.Scan(&l.Order, &l.Outcome, &l.Day, &l.Country, &l.Model, &l.Type, &l.Category, &l.Billable, &l.N)
	}, sql, args...)
}

// Billed is a delivered line with its price.
type Billed struct {
	Line
	billing.Verdict
	Market   string // by the card; empty without one
	Before   int64  // messages of the month counted ahead of these
	Currency string
	Micros   int64 // 0 unless Charged and known
}

// Pick is the rate card for a day, or why there is none.
type Pick func(day time.Time) (*ratecard.Priced, string)

// Bucket is what one volume is counted over.
type Bucket struct {
	Month    time.Time
	Market   string
	Category string
}

// Volumes is how many messages of each bucket were counted so far.
type Volumes map[Bucket]int64

// Bill prices delivered lines in the order in which tiers count them, adding to
// the volumes, and returns them in that order; other outcomes are left out. The
// price of a month is the same however it is cut into runs and days.
func Bill(pick Pick, v Volumes, lines []Line) []Billed {
	list := make([]Billed, 0, len(lines))
	for _, l := range lines {
		if l.Outcome == Delivered {
			list = append(list, Billed{Line: l, Verdict: l.Judge(l.Day)})
		}
	}
	slices.SortStableFunc(list, func(a, b Billed) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Country, b.Country),
			cmp.Compare(a.Category, b.Category), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Model, b.Model))
	})
	for i := range list {
		list[i].price(pick, v)
	}
	return list
}

func (b *Billed) price(pick Pick, v Volumes) {
	if !b.Charged {
		return
	}
	refuse := func(why string) { b.Charged, b.Unknown = false, why }
	if b.Country == "" {
		refuse(billing.NoCountry)
		return
	}
	card, why := pick(b.Day)
	if card == nil {
		refuse(why)
		return
	}
	b.Currency, b.Market = card.Currency(), card.Market(b.Country, b.Day)
	at := Bucket{billing.MonthOf(b.Day), b.Market, b.As}
	if b.Tiers {
		b.Before = v[at]
		v[at] += b.N
	}
	var ok bool
	b.Micros, ok = card.Price(ratecard.Volume{Market: b.Market, Category: b.As, Tiers: b.Tiers, Before: b.Before, N: b.N})
	if !ok {
		b.Micros = 0
		refuse(billing.NoRate)
	}
}
