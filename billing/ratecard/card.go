// Package ratecard owns the prices of Meta's that a workspace uploads: reading
// the file, keeping it in versions by date, and the price of so many messages.
//
// api and web upload and list cards, billing/estimate and billing/cost price by
// them. It ships no price: what is not on a card has none, and nothing is
// guessed from a neighbour. It must not know campaigns or HTTP.
package ratecard

import (
	"time"

	"bareed/billing"
	"bareed/internal/id"
)

// Card is one version of the prices in one currency. It is never edited: a newer
// version with a later day takes over from that day on.
type Card struct {
	ID         id.RateCard `json:"id"`
	Name       string      `json:"name" doc:"The file's name as it was uploaded"`
	Currency   string      `json:"currency" doc:"ISO 4217"`
	ValidFrom  string      `json:"valid_from" doc:"The first day, such as 2026-10-01, in the workspace's time zone"`
	ValidTo    string      `json:"valid_to,omitempty" doc:"The day another version took over, not included; the same day as valid_from: replaced before it was ever used"`
	Rows       int         `json:"rows" doc:"Prices on it"`
	SHA256     string      `json:"sha256" doc:"Of the file as it was uploaded"`
	UploadedBy string      `json:"uploaded_by"`
	UploadedAt time.Time   `json:"uploaded_at"`
	Rates      []Rate      `json:"rates,omitempty" doc:"Every price; absent in lists"`
}

type key struct{ market, category string }

// priced is a card as prices are looked up in it.
type priced struct {
	id       id.RateCard
	currency string
	from, to time.Time // to zero: no end
	tiers    map[key][]Rate
	markets  map[string]bool
}

// Set is the cards of a workspace that may apply.
type Set struct{ cards []*priced }

// In is the card of a currency in force on a day, and "" or why there is none.
// Without a currency (Meta has not told the account's) the only one there is
// counts; with several nothing is guessed.
func (s *Set) In(currency string, day time.Time) (*Priced, string) {
	var found *priced
	for _, c := range s.cards {
		if c.from.After(day) || !c.to.IsZero() && !c.to.After(day) || currency != "" && c.currency != currency {
			continue
		}
		if found != nil && found.currency != c.currency {
			return nil, billing.ManyCurrency
		}
		found = c
	}
	if found == nil {
		return nil, billing.NoCard
	}
	return &Priced{found}, ""
}

// ByID is a card of the set, whatever the day.
func (s *Set) ByID(card id.RateCard) *Priced {
	for _, c := range s.cards {
		if c.id == card {
			return &Priced{c}
		}
	}
	return nil
}

// Priced answers what messages cost by one card.
type Priced struct{ *priced }

// ID names the card.
func (p *Priced) ID() id.RateCard { return p.id }

// Currency is what its prices are in.
func (p *Priced) Currency() string { return p.currency }

// Market is the market a country is priced by: its own when the card has a price
// for it, else the one that Meta's list puts it in on the day.
func (p *Priced) Market(country string, day time.Time) string {
	if p.markets[country] {
		return country
	}
	return billing.Market(country, day)
}

// Volume is messages of one market and category to be priced: Before of the
// month were sent already, N come now.
type Volume struct {
	Market, Category string
	Tiers            bool // false: all at the price of the first tier
	Before, N        int64
}

// Price is what they cost in micros; false when the card has no price for some
// of them.
func (p *Priced) Price(v Volume) (micros int64, ok bool) {
	list := p.tiers[key{v.Market, v.Category}]
	switch {
	case len(list) == 0:
		return 0, false
	case v.N <= 0:
		return 0, true
	case !v.Tiers:
		return list[0].Micros * v.N, true
	}
	at, left := v.Before+1, v.N
	for _, r := range list {
		if left == 0 {
			break
		}
		if r.To != 0 && r.To < at {
			continue
		}
		n := left
		if r.To != 0 {
			n = min(left, r.To-at+1)
		}
		micros += r.Micros * n
		at, left = at+n, left-n
	}
	return micros, left == 0
}

// NewSet makes a set of cards that were read with their prices.
func NewSet(cards ...Card) *Set {
	s := &Set{}
	for _, c := range cards {
		p := &priced{id: c.ID, currency: c.Currency, tiers: map[key][]Rate{}, markets: map[string]bool{}}
		p.from, p.to = dayOf(c.ValidFrom), dayOf(c.ValidTo)
		for _, r := range c.Rates {
			p.tiers[key{r.Market, r.Category}] = append(p.tiers[key{r.Market, r.Category}], r)
			p.markets[r.Market] = true
		}
		s.cards = append(s.cards, p)
	}
	return s
}

// dayOf is zero for text that is no date; the database's are.
func dayOf(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s)
	return t
}
