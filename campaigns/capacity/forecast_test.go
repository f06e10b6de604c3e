package capacity

import (
	"fmt"
	"testing"
	"time"

	"bareed/numbers/places"
)

func TestForecast(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	const fast = 1_000_000
	days := func(n, usable, today int, shares ...places.Share) (all []day) {
		for i := range n {
			from := start.AddDate(0, 0, i)
			p := places.Pool{Limit: usable, Effective: usable, Shares: shares}
			if i == 0 {
				p.Taken = today
			}
			all = append(all, day{from: from, to: from.AddDate(0, 0, 1), pool: p})
		}
		return all
	}
	at := func(d int) time.Time { return start.AddDate(0, 0, d).Add(9 * time.Hour) }
	orders := places.Share{Name: "orders", Size: 300, Kinds: []string{"api"}}
	for _, c := range []struct {
		name    string
		days    []day
		demands []demand
		want    string // by day, what each key takes
		left    int
	}{
		{"nobody", days(2, 1000, 0), nil, "[map[] map[]]", 0},
		{"fits today", days(2, 1000, 200), []demand{{key: 1, starts: at(0), people: 800, perDay: fast}}, "[map[1:800] map[]]", 0},
		{"goes on tomorrow", days(3, 1000, 200), []demand{{key: 1, starts: at(0), people: 2500, perDay: fast}}, "[map[1:800] map[1:1000] map[1:700]]", 0},
		{"and after the last day", days(2, 1000, 0), []demand{{key: 1, starts: at(0), people: 2500, perDay: fast}}, "[map[1:1000] map[1:1000]]", 500},
		{"waits for its day", days(3, 1000, 0), []demand{{key: 1, starts: at(1), people: 10, perDay: fast}}, "[map[] map[1:10] map[]]", 0},
		{"slow", days(3, 1000, 0), []demand{{key: 1, starts: at(0), people: 250, perDay: 100}}, "[map[1:100] map[1:100] map[1:50]]", 0},
		{"who starts first", days(2, 1000, 0), []demand{{key: 2, starts: at(0).Add(time.Hour), people: 600, perDay: fast}, {key: 1, starts: at(0), people: 600, perDay: fast}},
			"[map[1:600 2:400] map[2:200]]", 0},
		{"who has the higher priority", days(2, 1000, 0), []demand{{key: 1, starts: at(0), people: 600, perDay: fast, priority: "normal"},
			{key: 2, starts: at(0).Add(time.Hour), people: 600, perDay: fast, priority: "high"}}, "[map[1:400 2:600] map[1:200]]", 0},
		{"a share stays free", days(2, 1000, 0, orders), []demand{{key: 1, starts: at(0), people: 900, perDay: fast}}, "[map[1:700] map[1:200]]", 0},
		{"a share and open places", days(1, 1000, 0, orders), []demand{{key: 1, starts: at(0), people: 900, perDay: fast, share: "orders"}}, "[map[1:900]]", 0},
		{"a share by kind, after the open ones", days(1, 1000, 0, orders), []demand{{key: 1, starts: at(0), people: 900, perDay: fast, priority: "high"},
			{key: 2, starts: at(0), people: 350, perDay: fast, kind: "api", priority: "low"}}, "[map[1:700 2:300]]", 250},
		{"more is taken than there is", days(1, 1000, 1200), []demand{{key: 1, starts: at(0), people: 9, perDay: fast}}, "[map[]]", 9},
	} {
		for i := range c.demands {
			if c.demands[i].priority == "" {
				c.demands[i].priority = "normal"
			}
		}
		took, left := forecast(c.days, c.demands)
		if got := fmt.Sprint(took); got != c.want || left != c.left {
			t.Errorf("%s: %s and %d left, want %s and %d", c.name, got, left, c.want, c.left)
		}
	}
}
