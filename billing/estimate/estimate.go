// Package estimate owns what a campaign would cost: the eligible people of a
// check by country, at the rate card in force on the day of sending and the tier
// that the month has reached. It also fixes that figure for a run when it is
// launched, so that it can be compared with what the run did cost.
//
// api and web show it and fix it at launch. A price that is on no card is said to
// be unknown; it is never guessed. It must not know HTTP.
package estimate

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/ratecard"
	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Estimate is what the messages of a check would cost if every one of them were
// delivered: at most that, unless a tier or a category changes.
type Estimate struct {
	CampaignID id.Campaign    `json:"campaign_id"`
	CheckID    id.Check       `json:"check_id"`
	Category   string         `json:"category" doc:"Whose price is charged: the template's, or marketing_lite by the Marketing Messages API"`
	Day        string         `json:"day" doc:"Of sending, in the workspace's time zone"`
	Card       *UsedCard      `json:"rate_card" doc:"In force on that day; null: none"`
	Why        string         `json:"why,omitempty" doc:"Why no rate card applies: no_card, many_currency"`
	Total      *billing.Money `json:"total" doc:"Of the lines with a known price; null: no line has one"`
	Complete   bool           `json:"complete" doc:"Every message has a known price or is free"`
	People     int64          `json:"people"`
	Free       int64          `json:"free" doc:"Of them: in a service window that is not charged on that day"`
	Unpriced   int64          `json:"unpriced" doc:"Of them: without a known price"`
	Lines      []CountryLine  `json:"lines" doc:"By country, most people first"`
}

// UsedCard names the rate card that was used.
type UsedCard struct {
	ID       id.RateCard `json:"id"`
	Currency string      `json:"currency"`
}

// CountryLine is one country's part.
type CountryLine struct {
	Country  string         `json:"country" doc:"ISO 3166-1 alpha-2; empty: not known"`
	Market   string         `json:"market,omitempty" doc:"That it is priced by: the country itself or a region"`
	Category string         `json:"category" doc:"Whose price is charged"`
	People   int64          `json:"people"`
	Free     int64          `json:"free"`
	Before   int64          `json:"before" doc:"Messages of the month ahead of these, which decide the volume tier"`
	Amount   *billing.Money `json:"amount" doc:"Null: not known"`
	Why      string         `json:"why,omitempty" doc:"Why it is not known: no_card, many_currency, no_rate, no_country, odd_category"`

	tiers bool
}

// source is what an estimate rests on besides the people.
type source struct {
	category  string
	portfolio id.Portfolio
	currency  string // in which Meta charges the account; empty: not told
	day       time.Time
	late      bool // sent so late that no window of the check is open any more
}

// OfCheck estimates a completed check of a campaign; check.not_completed before
// its end.
func OfCheck(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, k id.Check) (Estimate, error) {
	read, err := check.Get(ctx, tx, ws, campaign, k)
	if err != nil {
		return Estimate{}, err
	}
	c, err := campaigns.Get(ctx, tx, ws, campaign)
	if err != nil {
		return Estimate{}, err
	}
	return Of(ctx, tx, ws, c, read)
}

// Of is OfCheck of a campaign and check that were just read.
func Of(ctx context.Context, db pg.DB, ws id.Workspace, c campaigns.Campaign, k check.Check) (Estimate, error) {
	if k.State != "completed" || k.FinishedAt == nil {
		return Estimate{}, errs.New("check.not_completed", "state", k.State)
	}
	s := source{category: c.Purpose}
	if c.Marketing() {
		s.category = billing.MarketingLite
	}
	var starts *time.Time
	if c.Schedule != nil {
		starts = &c.Schedule.At
	}
	err := db.QueryRow(ctx, sqlSource, ws, c.NumberID, starts, *k.FinishedAt).Scan(&s.portfolio, &s.currency, &s.day, &s.late)
	if err != nil {
		return Estimate{}, fmt.Errorf("read the account that is charged: %w", err)
	}
	return s.estimate(ctx, db, ws, c.ID, k.ID, id.Run{})
}

// sqlSource says who is charged, the day of sending, and whether that is so long
// after the check that no service window of then is open any more.
const sqlSource = `
select n.portfolio_id, w.currency, (x.starts at time zone v.zone)::date, x.starts > $4::timestamptz + interval '24 hours'
from number n
join waba w on w.workspace_id = n.workspace_id and w.id = n.waba_id
join workspace v on v.workspace_id = n.workspace_id
cross join (select greatest(bareed_now(), $3::timestamptz) as starts) x
where n.workspace_id = $1
  and n.id = $2`

// estimate reads people, card and the month so far. run is the one to be
// estimated, which does not count as sent ahead of itself.
func (s *source) estimate(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, k id.Check, run id.Run) (Estimate, error) {
	e := Estimate{CampaignID: campaign, CheckID: k, Category: s.category, Day: s.day.Format(time.DateOnly)}
	people, err := check.Countries(ctx, db, ws, k)
	if err != nil {
		return e, err
	}
	month := billing.MonthOf(s.day)
	cards, err := ratecard.Between(ctx, db, ws, month, s.day)
	if err != nil {
		return e, err
	}
	before, err := charges.Between(ctx, db, ws, s.portfolio, month, s.day, run)
	if err != nil {
		return e, err
	}
	pick := func(day time.Time) (*ratecard.Priced, string) { return cards.In(s.currency, day) }
	volumes := charges.Volumes{}
	charges.Bill(pick, volumes, without(before))
	card, why := pick(s.day)
	e.Why = why
	if card != nil {
		e.Card = &UsedCard{ID: card.ID(), Currency: card.Currency()}
	}
	e.add(s, people, card, volumes)
	return e, nil
}

// without leaves the run itself out, and what was sent after it.
func without(lines []charges.Line) []charges.Line {
	var rest []charges.Line
	for _, l := range lines {
		if l.Order != 0 {
			rest = append(rest, l)
		}
	}
	return rest
}

// add prices the people country by country.
func (e *Estimate) add(s *source, people []check.Country, card *ratecard.Priced, v charges.Volumes) {
	e.Lines, e.Complete = []CountryLine{}, true
	for _, c := range people {
		l := CountryLine{Country: c.Country, Category: s.category, People: c.People}
		l.price(s, c, card, e.Why, v)
		e.People, e.Free = e.People+l.People, e.Free+l.Free
		if l.Amount == nil {
			e.Unpriced += l.People - l.Free
			e.Complete = false
		} else {
			if e.Total == nil {
				e.Total = &billing.Money{Currency: l.Amount.Currency}
			}
			e.Total.Micros += l.Amount.Micros
		}
		e.Lines = append(e.Lines, l)
	}
}

func (l *CountryLine) price(s *source, c check.Country, card *ratecard.Priced, why string, v charges.Volumes) {
	rule, ok := billing.RuleOf(s.category, billing.Closed, s.day)
	if !ok || !rule.Charged {
		l.Why = billing.OddCategory
		return
	}
	l.Category, l.tiers = rule.As, rule.Tiers
	if open, ok := billing.RuleOf(s.category, billing.Open, s.day); ok && !open.Charged && !s.late {
		l.Free = c.Windows
	}
	switch {
	case l.Country == "":
		l.Why = billing.NoCountry
		return
	case card == nil:
		l.Why = why
		return
	}
	l.Market = card.Market(l.Country, s.day)
	at := charges.Bucket{Month: billing.MonthOf(s.day), Market: l.Market, Category: l.Category}
	n := l.People - l.Free
	if l.tiers {
		l.Before = v[at]
		v[at] += n
	}
	micros, ok := card.Price(ratecard.Volume{Market: l.Market, Category: l.Category, Tiers: l.tiers, Before: l.Before, N: n})
	if !ok {
		l.Why = billing.NoRate
		return
	}
	l.Amount = &billing.Money{Micros: micros, Currency: card.Currency()}
}
