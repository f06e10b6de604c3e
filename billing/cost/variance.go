package cost

import (
	"maps"
	"slices"
	"time"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/billing/ratecard"
)

// The causes of a difference, in the order in which they are taken out: each is
// what changes when it alone is added to those before it, so they add up to the
// whole to the last micro.
const (
	SuppressedSince = "suppressed_since"  // people who refused, or left, between check and planning
	NotDelivered    = "not_delivered"     // failed
	StillOpen       = "still_open"        // on their way, or Meta has not said
	FreeOfCharge    = "free_window"       // delivered free, or charged where a free window was expected
	PriceNotTold    = "price_not_told"    // delivered, and no receipt says at what
	OtherCategory   = "category_changed"  // charged as another category
	VolumeTier      = "volume_tier"       // another tier of the month than expected
	RateCard        = "rate_card_changed" // another card was in force on the day of delivery
)

// Causes lists every cause in its order.
func Causes() []string {
	return []string{SuppressedSince, NotDelivered, StillOpen, FreeOfCharge, PriceNotTold, OtherCategory, VolumeTier, RateCard}
}

// Variance is why a run did not cost what was estimated, over the countries
// whose prices are all known.
type Variance struct {
	Estimated   billing.Money `json:"estimated" doc:"Of the countries compared"`
	Actual      billing.Money `json:"actual" doc:"Of the same"`
	Difference  billing.Money `json:"difference" doc:"actual less estimated; the sum of the causes"`
	Causes      []Cause       `json:"causes" doc:"Every cause in a fixed order, those of 0 too"`
	NotCompared []NotCompared `json:"not_compared" doc:"Countries left out because a price is not known"`
}

// Cause is one cause's part.
type Cause struct {
	Cause    string        `json:"cause" enum:"suppressed_since,not_delivered,still_open,free_window,price_not_told,category_changed,volume_tier,rate_card_changed"`
	Amount   billing.Money `json:"amount"`
	Messages int64         `json:"messages" doc:"It concerns so many; 0 where it concerns a price"`
}

// NotCompared is a country without a known price.
type NotCompared struct {
	Country   string `json:"country"`
	People    int64  `json:"people" doc:"Estimated"`
	Delivered int64  `json:"delivered"`
	Why       string `json:"why"`
}

// tally is one country's messages.
type tally struct {
	failed, open, delivered int64
	charged, unknown        int64 // of delivered, by their receipts
	categories              map[string]group
	billed                  []charges.Billed
}

// group is charged messages under one category.
type group struct {
	tiers     bool
	before, n int64
}

func (b *books) tallies() map[string]*tally {
	all := map[string]*tally{}
	of := func(country string) *tally {
		if all[country] == nil {
			all[country] = &tally{categories: map[string]group{}}
		}
		return all[country]
	}
	for _, l := range b.lines {
		switch t := of(l.Country); l.Outcome {
		case charges.Failed:
			t.failed += l.N
		case charges.Open:
			t.open += l.N
		case charges.Delivered:
			t.delivered += l.N
		}
	}
	for _, l := range b.billed {
		t := of(l.Country)
		t.billed = append(t.billed, l)
		switch v := l.Judge(l.Day); {
		case v.Charged:
			t.charged += l.N
			g, had := t.categories[v.As]
			if !had {
				g = group{tiers: v.Tiers, before: l.Before}
			}
			g.n += l.N
			t.categories[v.As] = g
		case v.Unknown != "":
			t.unknown += l.N
		}
	}
	return all
}

// variance compares country by country.
func (b *books) variance() Variance {
	currency := b.fixed[0].Currency
	v := Variance{NotCompared: []NotCompared{}}
	for _, c := range Causes() {
		v.Causes = append(v.Causes, Cause{Cause: c, Amount: billing.Money{Currency: currency}})
	}
	v.Estimated.Currency, v.Actual.Currency, v.Difference.Currency = currency, currency, currency
	tallies := b.tallies()
	fixed := map[string]estimate.Fixed{}
	for _, f := range b.fixed {
		fixed[f.Country] = f
		if tallies[f.Country] == nil {
			tallies[f.Country] = &tally{categories: map[string]group{}}
		}
	}
	card := b.cards.ByID(b.fixed[0].Card)
	same := b.byOneCard(card)
	for _, country := range slices.Sorted(maps.Keys(tallies)) {
		t := tallies[country]
		f, ok := fixed[country]
		if !ok {
			f = b.unforeseen(country, card)
		}
		steps, messages, why := t.steps(f, card, same[country])
		if why != "" {
			if f.People > 0 || t.delivered > 0 {
				v.NotCompared = append(v.NotCompared, NotCompared{Country: country, People: f.People, Delivered: t.delivered, Why: why})
			}
			continue
		}
		v.Estimated.Micros += steps[0]
		v.Actual.Micros += steps[len(steps)-1]
		for i := range v.Causes {
			v.Causes[i].Amount.Micros += steps[i+1] - steps[i]
			v.Causes[i].Messages += messages[i]
		}
	}
	v.Difference.Micros = v.Actual.Micros - v.Estimated.Micros
	return v
}

// unforeseen is the estimate of a country that had nobody at the check: nothing.
func (b *books) unforeseen(country string, card *ratecard.Priced) estimate.Fixed {
	f := b.fixed[0]
	none := int64(0)
	f.Country, f.People, f.Free, f.Before, f.Micros, f.Why, f.Market = country, 0, 0, 0, &none, "", ""
	if card != nil {
		f.Market = card.Market(country, f.Day)
	}
	return f
}

// priceOfAll is a country's actual lines by one card for all days; false when a
// price of them is not known.
type priceOfAll struct {
	micros int64
	known  bool
}

func (b *books) byOneCard(card *ratecard.Priced) map[string]priceOfAll {
	sums := map[string]priceOfAll{}
	if card == nil {
		return sums
	}
	for _, l := range b.bill(func(time.Time) (*ratecard.Priced, string) { return card, "" }) {
		s, had := sums[l.Country]
		s.known = (s.known || !had) && (l.Charged || !l.Judge(l.Day).Charged)
		s.micros += l.Micros
		sums[l.Country] = s
	}
	return sums
}

// steps are the amounts from the estimate to the actual, one more than there
// are causes, with the messages each cause concerns; or why they are not known.
func (t *tally) steps(f estimate.Fixed, card *ratecard.Priced, same priceOfAll) (steps, messages []int64, why string) {
	switch {
	case f.Micros == nil:
		return nil, nil, f.Why
	case card == nil || card.ID() != f.Card:
		return nil, nil, billing.NoCard
	}
	planned := t.failed + t.open + t.delivered
	counts := []int64{f.People, planned, planned - t.failed, t.delivered}
	for i := range counts {
		counts[i] = max(0, counts[i]-f.Free)
	}
	counts = append(counts, t.charged+t.unknown, t.charged)
	for i, n := range counts {
		micros, ok := card.Price(ratecard.Volume{Market: f.Market, Category: f.Category, Tiers: f.Tiers, Before: f.Before, N: n})
		if !ok {
			return nil, nil, billing.NoRate
		}
		steps = append(steps, micros)
		if i > 0 {
			messages = append(messages, abs(n-counts[i-1]))
		}
	}
	mixed, others, ok := t.mixed(f, card)
	actual, known := t.actual(f.Currency)
	if !ok || !known || !same.known && t.charged > 0 {
		return nil, nil, billing.NoRate
	}
	return append(steps, mixed, same.micros, actual), append(messages, others, 0, 0), ""
}

// mixed prices the charged messages under their own categories, by the
// estimate's card and tier.
func (t *tally) mixed(f estimate.Fixed, card *ratecard.Priced) (micros, others int64, ok bool) {
	for category, g := range t.categories {
		v := ratecard.Volume{Market: f.Market, Category: category, Tiers: g.tiers, Before: g.before, N: g.n}
		if category == f.Category {
			v.Tiers, v.Before = f.Tiers, f.Before
		} else {
			others += g.n
		}
		m, known := card.Price(v)
		if !known {
			return 0, 0, false
		}
		micros += m
	}
	return micros, others, true
}

// actual is what the country's messages did cost; false when a price is not
// known or is in another currency.
func (t *tally) actual(currency string) (micros int64, ok bool) {
	for _, l := range t.billed {
		if l.Charged && l.Currency != currency || !l.Charged && l.Judge(l.Day).Charged {
			return 0, false
		}
		micros += l.Micros
	}
	return micros, true
}

func abs(n int64) int64 { return max(n, -n) }
