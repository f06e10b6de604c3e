package ratecard_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"bareed/billing"
	"bareed/billing/ratecard"
	"bareed/internal/id"
)

func tiered() *ratecard.Set {
	return ratecard.NewSet(ratecard.Card{ID: id.New[id.RateCard](), Currency: "XTS", ValidFrom: "2026-01-01", Rates: []ratecard.Rate{
		{Market: "SA", Category: "utility", From: 1, To: 100, Micros: 10}, {Market: "SA", Category: "utility", From: 101, To: 1000, Micros: 7},
		{Market: "SA", Category: "utility", From: 1001, Micros: 5}, {Market: "SA", Category: "marketing", From: 1, Micros: 90},
		{Market: "EG", Category: "utility", From: 1, To: 10, Micros: 3}, {Market: "rest_of_middle_east", Category: "marketing", From: 1, Micros: 60},
		{Market: "QA", Category: "marketing", From: 1, Micros: 61},
	}})
}

func TestPrice(t *testing.T) {
	t.Parallel()
	card, why := tiered().In("", billing.Day(2026, time.November, 22))
	if why != "" {
		t.Fatal(why)
	}
	for _, tt := range []struct {
		name string
		v    ratecard.Volume
		want int64
		ok   bool
	}{
		{"the first tier", ratecard.Volume{"SA", "utility", true, 0, 100}, 1000, true},
		{"one over it", ratecard.Volume{"SA", "utility", true, 0, 101}, 1007, true},
		{"the last of a tier", ratecard.Volume{"SA", "utility", true, 99, 1}, 10, true},
		{"the first of the next", ratecard.Volume{"SA", "utility", true, 100, 1}, 7, true},
		{"over two borders", ratecard.Volume{"SA", "utility", true, 50, 1000}, 50*10 + 900*7 + 50*5, true},
		{"in the open end", ratecard.Volume{"SA", "utility", true, 1_000_000, 2}, 10, true},
		{"without tiers", ratecard.Volume{"SA", "utility", false, 5000, 2}, 20, true},
		{"none", ratecard.Volume{"SA", "utility", true, 5000, 0}, 0, true},
		{"no end of the card's", ratecard.Volume{"EG", "utility", true, 9, 1}, 3, true},
		{"behind the card's end", ratecard.Volume{"EG", "utility", true, 9, 2}, 3, false},
		{"no such category", ratecard.Volume{"EG", "marketing", true, 0, 1}, 0, false},
		{"no such market", ratecard.Volume{"FR", "utility", true, 0, 1}, 0, false},
	} {
		if got, ok := card.Price(tt.v); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: %d, %v, want %d", tt.name, got, ok, tt.want)
		}
	}
}

// However a month is cut into campaigns, it costs the same.
func TestPriceOfPartsIsThePriceOfTheWhole(t *testing.T) {
	t.Parallel()
	card, _ := tiered().In("XTS", billing.Day(2026, time.November, 22))
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		whole := ratecard.Volume{"SA", "utility", true, r.Int64N(1500), r.Int64N(3000)}
		want, _ := card.Price(whole)
		var got int64
		for at, left := whole.Before, whole.N; left > 0; {
			n := 1 + r.Int64N(left)
			micros, ok := card.Price(ratecard.Volume{"SA", "utility", true, at, n})
			if !ok {
				t.Fatal("no price")
			}
			got, at, left = got+micros, at+n, left-n
		}
		if got != want {
			t.Fatalf("%+v costs %d in parts, %d as one", whole, got, want)
		}
	}
}

// A country with a price of its own is its own market; one that stands alone by
// Meta's list and has none gets no neighbour's.
func TestMarketOfACard(t *testing.T) {
	t.Parallel()
	day := billing.Day(2026, time.November, 22)
	card, _ := tiered().In("XTS", day)
	for country, want := range map[string]string{"SA": "SA", "QA": "QA", "JO": "rest_of_middle_east", "KW": "KW", "US": "north_america", "IS": "other"} {
		if got := card.Market(country, day); got != want {
			t.Errorf("%s is of %s, want %s", country, got, want)
		}
	}
}

func TestCardInForce(t *testing.T) {
	t.Parallel()
	old, now, euro := id.New[id.RateCard](), id.New[id.RateCard](), id.New[id.RateCard]()
	s := ratecard.NewSet(ratecard.Card{ID: old, Currency: "XTS", ValidFrom: "2026-01-01", ValidTo: "2026-10-01"},
		ratecard.Card{ID: now, Currency: "XTS", ValidFrom: "2026-10-01"}, ratecard.Card{ID: euro, Currency: "EUR", ValidFrom: "2026-11-01"})
	for _, tt := range []struct {
		currency string
		day      time.Time
		want     id.RateCard
		why      string
	}{
		{"XTS", billing.Day(2025, 12, 31), id.RateCard{}, billing.NoCard}, {"XTS", billing.Day(2026, 1, 1), old, ""},
		{"XTS", billing.Day(2026, 9, 30), old, ""}, {"XTS", billing.Day(2026, 10, 1), now, ""}, {"", billing.Day(2026, 10, 31), now, ""},
		{"", billing.Day(2026, 11, 1), id.RateCard{}, billing.ManyCurrency}, {"EUR", billing.Day(2026, 11, 1), euro, ""},
		{"USD", billing.Day(2026, 11, 1), id.RateCard{}, billing.NoCard},
	} {
		card, why := s.In(tt.currency, tt.day)
		if why != tt.why || why == "" && card.ID() != tt.want {
			t.Errorf("%s on %s: %v, %s", tt.currency, tt.day.Format(time.DateOnly), card, why)
		}
	}
}
