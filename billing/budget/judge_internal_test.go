package budget

import (
	"math"
	"slices"
	"testing"

	"bareed/billing"
)

func sar(units int64) *billing.Money {
	return &billing.Money{Micros: units * billing.Unit, Currency: "SAR"}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	month := func(amount, spent, promised int64) *Month {
		return &Month{Budget: Budget{Amount: sar(amount)}, Spent: sar(spent), Promised: sar(promised)}
	}
	usd := &billing.Money{Micros: 1, Currency: "USD"}
	for _, tt := range []struct {
		name     string
		campaign *billing.Money
		month    *Month
		asked    asked
		want     []string
		refused  bool
	}{
		{"no budget", nil, nil, asked{sar(1000), 5}, nil, false},
		{"below both", sar(10), month(100, 50, 40), asked{sar(10), 0}, nil, false},
		{"above the campaign's", sar(10), nil, asked{&billing.Money{Micros: 10*billing.Unit + 1, Currency: "SAR"}, 0}, []string{"budget.over_campaign"}, true},
		{"above what the month has left", nil, month(100, 50, 40), asked{sar(11), 0}, []string{"budget.over_month"}, true},
		{"above both", sar(10), month(100, 95, 0), asked{sar(11), 0}, []string{"budget.over_campaign", "budget.over_month"}, true},
		{"the month is passed", nil, month(100, 120, 0), asked{sar(1), 0}, []string{"budget.over_month"}, true},
		{"nothing has a price", sar(10), month(100, 0, 0), asked{nil, 7}, []string{"budget.no_price", "budget.no_price"}, false},
		{"some have none", sar(10), nil, asked{sar(5), 7}, []string{"budget.no_price"}, false},
		{"another currency", sar(10), nil, asked{usd, 0}, []string{"budget.currency"}, true},
		{"everything is free", sar(10), nil, asked{}, nil, false},
	} {
		v := Verdict{Campaign: tt.campaign, Month: tt.month}
		v.judge(tt.asked)
		var got []string
		for _, f := range v.Remarks {
			got = append(got, f.Code)
		}
		if !slices.Equal(got, tt.want) || (v.Refused() != nil) != tt.refused {
			t.Errorf("%s: %v, %v", tt.name, got, v.Refused())
		}
	}
}

func TestAfford(t *testing.T) {
	t.Parallel()
	list := []next{{3, "SA"}, {4, "SA"}, {7, "EG"}, {8, ""}, {9, "SA"}}
	p := prices{"SA": 90, "EG": 40}
	for _, tt := range []struct {
		name   string
		room   int64
		to     int32
		micros int64
		short  bool
	}{
		{"nobody", 89, 2, 0, true},
		{"one", 90, 3, 90, true},
		{"two, not the third", 219, 6, 180, true},
		{"three and who has no price", 220, 8, 220, true},
		{"everybody, to the end", 310, 12, 310, false},
		{"without a bound", math.MaxInt64, 12, 310, false},
		{"passed already", -1, 2, 0, true},
		{"far passed", math.MinInt64, 2, 0, true},
	} {
		to, micros, short := afford(list, p, tt.room, 12)
		if to != tt.to || micros != tt.micros || short != tt.short {
			t.Errorf("%s: up to %d for %d, short %v", tt.name, to, micros, short)
		}
	}
	if to, micros, short := afford(nil, p, 0, 12); to != 12 || micros != 0 || short {
		t.Errorf("nobody waits: %d, %d, %v", to, micros, short)
	}
}

// Whatever the room and the order, what is afforded never costs more than the
// room, and the next one would.
func TestAffordNeverPassesTheRoom(t *testing.T) {
	t.Parallel()
	p := prices{"SA": 90, "EG": 40, "FR": 1}
	countries := []string{"SA", "EG", "FR", ""}
	list := make([]next, 60)
	for i := range list {
		list[i] = next{int32(i + 1), countries[i*i%7%4]}
	}
	for room := int64(0); room < 3000; room += 7 {
		to, micros, short := afford(list, p, room, 60)
		var sum int64
		for _, m := range list[:to] {
			sum += p[m.Country]
		}
		if sum != micros || sum > room || short && sum+p[list[to].Country] <= room || !short && to != 60 {
			t.Fatalf("room %d: up to %d for %d (%d), short %v", room, to, micros, sum, short)
		}
	}
}

func TestRoomOf(t *testing.T) {
	t.Parallel()
	h := held{currency: "SAR"}
	own, month := &purse{amount: sar(10), used: 4 * billing.Unit, reason: OverCampaign}, &purse{amount: sar(100), used: 97 * billing.Unit, reason: OverMonth}
	if room, by := roomOf(h, own, month); room != 3*billing.Unit || by != month {
		t.Errorf("%d by %v", room, by)
	}
	if room, by := roomOf(h, own, &purse{}); room != 6*billing.Unit || by != own {
		t.Errorf("%d by %v", room, by)
	}
	h.currency = "USD"
	if room, by := roomOf(h, own, month); room != math.MaxInt64 || by != nil {
		t.Errorf("in another currency: %d by %v", room, by)
	}
}
