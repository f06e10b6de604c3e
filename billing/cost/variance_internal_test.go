package cost

import (
	"math/rand/v2"
	"testing"
	"time"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/billing/ratecard"
	"bareed/internal/id"
)

var launchDay = billing.Day(2026, time.September, 29)

// twoCards are one until 2026-10-01 and another from then on, both without a
// price for NG.
func twoCards() (*ratecard.Set, id.RateCard) {
	first, second := id.New[id.RateCard](), id.New[id.RateCard]()
	rates := func(k int64) []ratecard.Rate {
		return []ratecard.Rate{
			{Market: "SA", Category: "marketing", From: 1, Micros: 90 * k}, {Market: "SA", Category: "utility", From: 1, To: 50, Micros: 10 * k},
			{Market: "SA", Category: "utility", From: 51, To: 200, Micros: 8 * k}, {Market: "SA", Category: "utility", From: 201, Micros: 5 * k},
			{Market: "EG", Category: "marketing", From: 1, Micros: 40 * k}, {Market: "EG", Category: "utility", From: 1, Micros: 4 * k},
			{Market: "rest_of_africa", Category: "utility", From: 1, Micros: 6 * k},
		}
	}
	return ratecard.NewSet(ratecard.Card{ID: first, Currency: "XTS", ValidFrom: "2026-01-01", ValidTo: "2026-10-01", Rates: rates(1)},
		ratecard.Card{ID: second, Currency: "XTS", ValidFrom: "2026-10-01", Rates: rates(3)}), first
}

// fix is an estimate of utility messages to people of each country.
func fix(t testing.TB, cards *ratecard.Set, card id.RateCard, people map[string]int64, free int64) []estimate.Fixed {
	t.Helper()
	var list []estimate.Fixed
	for _, country := range []string{"SA", "EG", "KE", "NG"} {
		n, ok := people[country]
		if !ok {
			continue
		}
		p := cards.ByID(card)
		f := estimate.Fixed{Country: country, People: n, Free: min(free, n), Category: "utility", Tiers: true, Market: p.Market(country, launchDay),
			Before: 20, Card: card, Currency: "XTS", Day: launchDay}
		micros, ok := p.Price(ratecard.Volume{Market: f.Market, Category: "utility", Tiers: true, Before: 20, N: n - f.Free})
		if ok {
			f.Micros = &micros
		} else {
			f.Why = billing.NoRate
		}
		list = append(list, f)
	}
	return list
}

func booksOf(cards *ratecard.Set, fixed []estimate.Fixed, lines []charges.Line, others ...charges.Line) *books {
	b := &books{lines: lines, fixed: fixed, cards: cards, month: others}
	for _, l := range lines {
		if l.Outcome == charges.Delivered {
			b.month = append(b.month, l)
		}
	}
	b.billed = b.bill(func(day time.Time) (*ratecard.Priced, string) { return cards.In("", day) })
	return b
}

func line(outcome, country string, n int64) charges.Line {
	return charges.Line{Outcome: outcome, Day: launchDay, Country: country, N: n}
}

func delivered(country, kind, category string, day time.Time, n int64) charges.Line {
	return charges.Line{Outcome: charges.Delivered, Day: day, Country: country, N: n,
		Receipt: billing.Receipt{Model: "PMP", Type: kind, Category: category, Billable: kind == "regular"}}
}

// One thing is different at a time, and all of the difference is its.
func TestEachCauseAlone(t *testing.T) {
	t.Parallel()
	cards, card := twoCards()
	october := billing.Day(2026, time.October, 1)
	before := charges.Line{Order: -1, Outcome: charges.Delivered, Day: launchDay.AddDate(0, 0, -5), Country: "SA", N: 20,
		Receipt: billing.Receipt{Model: "PMP", Type: "regular", Category: "utility"}}
	for _, tt := range []struct {
		cause    string
		lines    []charges.Line
		more     []charges.Line
		want     int64 // of 30 at 10 micros: 300
		messages int64
	}{
		{"", []charges.Line{delivered("SA", "regular", "utility", launchDay, 30)}, nil, 0, 0},
		{SuppressedSince, []charges.Line{line("suppressed", "SA", 4), delivered("SA", "regular", "utility", launchDay, 26)}, nil, -40, 4},
		{NotDelivered, []charges.Line{line("failed", "SA", 5), delivered("SA", "regular", "utility", launchDay, 25)}, nil, -50, 5},
		{StillOpen, []charges.Line{line("open", "SA", 6), delivered("SA", "regular", "utility", launchDay, 24)}, nil, -60, 6},
		{FreeOfCharge, []charges.Line{delivered("SA", "free_customer_service", "utility", launchDay, 7), delivered("SA", "regular", "utility", launchDay, 23)}, nil, -70, 7},
		{PriceNotTold, []charges.Line{line("delivered", "SA", 8), delivered("SA", "regular", "utility", launchDay, 22)}, nil, -80, 8},
		{OtherCategory, []charges.Line{delivered("SA", "regular", "marketing", launchDay, 30)}, nil, 30*90 - 300, 30},
		{VolumeTier, []charges.Line{delivered("SA", "regular", "utility", launchDay, 30)},
			[]charges.Line{{Order: -1, Outcome: charges.Delivered, Day: launchDay.AddDate(0, 0, -1), Country: "SA", N: 10, Receipt: before.Receipt}}, 20*10 + 10*8 - 300, 0},
		{RateCard, []charges.Line{delivered("SA", "regular", "utility", october, 30)},
			[]charges.Line{{Order: -1, Outcome: charges.Delivered, Day: october, Country: "SA", N: 20, Receipt: before.Receipt}}, 300 * 2, 0},
	} {
		b := booksOf(cards, fix(t, cards, card, map[string]int64{"SA": 30}, 0), tt.lines, append(tt.more, before)...)
		v := b.variance()
		if v.Estimated.Micros != 300 || v.Difference.Micros != tt.want || len(v.NotCompared) != 0 {
			t.Errorf("%s: %+v", tt.cause, v)
		}
		for _, c := range v.Causes {
			want, messages := int64(0), int64(0)
			if c.Cause == tt.cause {
				want, messages = tt.want, tt.messages
			}
			if c.Amount.Micros != want || c.Messages != messages {
				t.Errorf("%s alone: %s is %d micros, %d messages; want %d, %d", tt.cause, c.Cause, c.Amount.Micros, c.Messages, want, messages)
			}
		}
	}
}

// Whatever happens, the causes add up to the difference, and what is compared is
// what the lines say.
func TestCausesAddUp(t *testing.T) {
	t.Parallel()
	cards, card := twoCards()
	r := rand.New(rand.NewPCG(7, 11))
	compared := 0
	for range 3000 {
		people, countries := map[string]int64{}, []string{"SA", "EG", "KE", "NG", "", "FR"}
		for _, c := range countries[:4] {
			if r.IntN(4) > 0 {
				people[c] = r.Int64N(200)
			}
		}
		fixed := fix(t, cards, card, people, r.Int64N(5))
		if len(fixed) == 0 {
			continue
		}
		var lines, others []charges.Line
		for range r.IntN(20) {
			country := countries[r.IntN(len(countries))]
			day := launchDay.AddDate(0, 0, r.IntN(5))
			switch r.IntN(7) {
			case 0:
				lines = append(lines, line(charges.Failed, country, r.Int64N(50)))
			case 1:
				lines = append(lines, line(charges.Suppressed, country, r.Int64N(50)))
			case 2:
				lines = append(lines, line(charges.Open, country, r.Int64N(50)))
			case 3:
				lines = append(lines, delivered(country, "free_customer_service", "utility", day, r.Int64N(50)))
			case 4:
				lines = append(lines, delivered(country, "regular", []string{"marketing", "group_marketing"}[r.IntN(2)], day, r.Int64N(50)))
			default:
				lines = append(lines, delivered(country, "regular", "utility", day, r.Int64N(100)))
			}
			other := delivered(country, "regular", "utility", day, r.Int64N(100))
			other.Order = 2*r.IntN(2) - 1
			others = append(others, other)
		}
		b := booksOf(cards, fixed, lines, others...)
		v := b.variance()
		var sum int64
		for _, c := range v.Causes {
			sum += c.Amount.Micros
		}
		left := map[string]bool{}
		for _, n := range v.NotCompared {
			left[n.Country] = true
		}
		var estimated, actual int64
		for _, f := range fixed {
			if !left[f.Country] && f.Micros != nil {
				estimated += *f.Micros
				compared++
			}
		}
		for _, l := range b.billed {
			if !left[l.Country] {
				actual += l.Micros
			}
		}
		if sum != v.Difference.Micros || v.Estimated.Micros != estimated || v.Actual.Micros != actual || v.Difference.Micros != actual-estimated {
			t.Fatalf("causes %d, %+v; estimated %d, actual %d", sum, v, estimated, actual)
		}
	}
	if compared < 3000 {
		t.Errorf("only %d countries were compared", compared)
	}
}
