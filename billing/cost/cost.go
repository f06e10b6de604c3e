// Package cost owns what a campaign's run did cost: its delivered messages at
// the rate cards of their days, beside what was estimated at launch, and the
// difference split into causes that add up to it exactly.
//
// api and web show it. It reads counts, never the messages themselves, so a page
// costs the same for a thousand people and for a million. It must not know HTTP.
package cost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/billing/ratecard"
	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Cost is a run's money as far as Meta's receipts tell it.
type Cost struct {
	CampaignID id.Campaign      `json:"campaign_id"`
	RunID      id.Run           `json:"run_id"`
	CountedAt  *time.Time       `json:"counted_at" doc:"When the messages were last counted; null: not yet"`
	Estimated  *billing.Money   `json:"estimated" doc:"At launch, of the countries with a known price; null: nothing was known"`
	Actual     *billing.Money   `json:"actual" doc:"Of what was delivered and has a known price; null: nothing has"`
	People     int64            `json:"people" doc:"Messages of the run, suppressed ones too"`
	Delivered  int64            `json:"delivered"`
	Charged    int64            `json:"charged" doc:"Of those: at a known price"`
	Free       map[string]int64 `json:"free" doc:"Of those: free, by reason: free_customer_service, free_entry_point, not_billable"`
	Unpriced   map[string]int64 `json:"unpriced" doc:"Of those: counted without a price, by reason: not_told, no_card, many_currency, no_rate, no_country, odd_model, odd_type, odd_category"`
	Open       int64            `json:"open" doc:"On their way, or Meta has not said: they may still cost something"`
	Lines      []CostLine       `json:"lines" doc:"By country and category, dearest first"`
	Estimates  []Planned        `json:"estimates" doc:"By country, as it was at launch"`
	Variance   *Variance        `json:"variance" doc:"Null without an estimate by a rate card"`
}

// CostLine is what one country's messages of one category cost.
type CostLine struct {
	Country  string         `json:"country" doc:"ISO 3166-1 alpha-2; empty: not known"`
	Market   string         `json:"market,omitempty"`
	Category string         `json:"category" doc:"As Meta told it"`
	Model    string         `json:"pricing_model" doc:"PMP: per message; CBP: per conversation, until 2025-07-01; empty: not told"`
	Charged  int64          `json:"charged"`
	Free     int64          `json:"free"`
	Unpriced int64          `json:"unpriced"`
	Amount   *billing.Money `json:"amount" doc:"Null: nothing of the line has a known price"`
}

// Planned is one country's estimate at launch.
type Planned struct {
	Country string         `json:"country"`
	Market  string         `json:"market,omitempty"`
	People  int64          `json:"people"`
	Free    int64          `json:"free"`
	Amount  *billing.Money `json:"amount" doc:"Null: not known"`
	Why     string         `json:"why,omitempty"`
}

const sqlRun = `
select r.portfolio_id, w.currency, c.counted_at
from run r
join waba w on w.workspace_id = r.workspace_id and w.id = r.waba_id
left join run_count c on c.workspace_id = r.workspace_id and c.run_id = r.id
where r.workspace_id = $1
  and r.id = $2`

// Get reads the cost of a campaign's newest run; campaign.not_launched before
// there is one.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Cost, error) {
	c, err := campaigns.Get(ctx, db, ws, campaign)
	if err != nil {
		return Cost{}, err
	}
	if c.RunID.IsZero() {
		return Cost{}, errs.New("campaign.not_launched", "state", c.State)
	}
	return OfRun(ctx, db, ws, campaign, c.RunID)
}

// OfRun is Get of one run of the campaign.
func OfRun(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, run id.Run) (Cost, error) {
	k := Cost{CampaignID: campaign, RunID: run, Lines: []CostLine{}, Estimates: []Planned{}, Free: map[string]int64{}, Unpriced: map[string]int64{}}
	b := &books{}
	var portfolio id.Portfolio
	var err error
	if err := db.QueryRow(ctx, sqlRun, ws, run).Scan(&portfolio, &b.currency, &k.CountedAt); errors.Is(err, pgx.ErrNoRows) {
		return k, errs.New("not_found")
	} else if err != nil {
		return k, fmt.Errorf("read the run: %w", err)
	}
	if b.lines, err = charges.OfRun(ctx, db, ws, run); err != nil {
		return k, err
	}
	if b.fixed, err = estimate.OfRun(ctx, db, ws, run); err != nil {
		return k, err
	}
	if err := b.read(ctx, db, ws, portfolio, run); err != nil {
		return k, err
	}
	k.add(b)
	if len(b.fixed) > 0 && !b.fixed[0].Card.IsZero() {
		v := b.variance()
		k.Variance = &v
	}
	return k, nil
}

// books are what a cost is worked out from.
type books struct {
	currency string
	lines    []charges.Line // of the run, all outcomes
	month    []charges.Line // delivered in the portfolio, in the months of the run's days
	fixed    []estimate.Fixed
	cards    *ratecard.Set
	billed   []charges.Billed // of the run
}

// read fetches the months the run was delivered in, and the cards of then.
func (b *books) read(ctx context.Context, db pg.DB, ws id.Workspace, portfolio id.Portfolio, run id.Run) error {
	first, last := time.Time{}, time.Time{}
	for _, l := range b.lines {
		if l.Outcome != charges.Delivered {
			continue
		}
		if first.IsZero() || l.Day.Before(first) {
			first = l.Day
		}
		if l.Day.After(last) {
			last = l.Day
		}
	}
	var err error
	if !first.IsZero() {
		first = billing.MonthOf(first)
		if b.month, err = charges.Between(ctx, db, ws, portfolio, first, last, run); err != nil {
			return err
		}
	}
	if b.cards, err = ratecard.Between(ctx, db, ws, first, last, b.used()...); err != nil {
		return err
	}
	b.billed = b.bill(func(day time.Time) (*ratecard.Priced, string) { return b.cards.In(b.currency, day) })
	return nil
}

// used are the cards of the estimate.
func (b *books) used() []id.RateCard {
	list := []id.RateCard{}
	for _, f := range b.fixed {
		if !f.Card.IsZero() && !slices.Contains(list, f.Card) {
			list = append(list, f.Card)
		}
	}
	return list
}

// bill prices the run's delivered lines within the portfolio's months.
func (b *books) bill(pick charges.Pick) []charges.Billed {
	var own []charges.Billed
	for _, l := range charges.Bill(pick, charges.Volumes{}, b.month) {
		if l.Order == 0 {
			own = append(own, l)
		}
	}
	return own
}

func (k *Cost) add(b *books) {
	for _, l := range b.lines {
		k.People += l.N
		switch l.Outcome {
		case charges.Delivered:
			k.Delivered += l.N
		case charges.Open:
			k.Open += l.N
		}
	}
	type key struct{ country, market, category, model string }
	lines := map[key]*CostLine{}
	for _, l := range b.billed {
		at := key{l.Country, l.Market, l.Category, l.Model}
		if lines[at] == nil {
			lines[at] = &CostLine{Country: l.Country, Market: l.Market, Category: l.Category, Model: l.Model}
		}
		lines[at].take(k, l)
	}
	k.Lines = slices.AppendSeq(k.Lines, values(lines))
	slices.SortFunc(k.Lines, func(a, b CostLine) int {
		return cmp.Or(cmp.Compare(amount(b.Amount), amount(a.Amount)), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Model, b.Model))
	})
	for _, f := range b.fixed {
		k.Estimates = append(k.Estimates, Planned{Country: f.Country, Market: f.Market, People: f.People, Free: f.Free, Amount: f.Amount(), Why: f.Why})
		if f.Micros != nil {
			k.Estimated = plus(k.Estimated, *f.Micros, f.Currency)
		}
	}
}

func (l *CostLine) take(k *Cost, b charges.Billed) {
	switch {
	case b.Charged:
		l.Charged, k.Charged = l.Charged+b.N, k.Charged+b.N
		l.Amount, k.Actual = plus(l.Amount, b.Micros, b.Currency), plus(k.Actual, b.Micros, b.Currency)
	case b.Free != "":
		l.Free += b.N
		k.Free[b.Free] += b.N
	default:
		l.Unpriced += b.N
		k.Unpriced[b.Unknown] += b.N
	}
}

func plus(m *billing.Money, micros int64, currency string) *billing.Money {
	if m == nil {
		m = &billing.Money{Currency: currency}
	}
	m.Micros += micros
	return m
}

func amount(m *billing.Money) int64 {
	if m == nil {
		return -1
	}
	return m.Micros
}

func values[K comparable](m map[K]*CostLine) func(yield func(CostLine) bool) {
	return func(yield func(CostLine) bool) {
		for v := range maps.Values(m) {
			if !yield(*v) {
				return
			}
		}
	}
}
