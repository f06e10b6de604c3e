package forecast_test

import (
	"testing"
	"time"

	"bareed/campaigns/forecast"
)

// What is kept for others is not to be had; what is kept for the campaign is, also
// when nothing else is; and of the open places those of a higher priority are served
// first.
func TestSharesAndPriorities(t *testing.T) {
	t.Parallel()
	const d, h = 24 * time.Hour, time.Hour
	orders := []forecast.Share{{Name: "orders", Places: 3000}}
	beside := func(people int64, priority string) []forecast.Other {
		return []forecast.Other{{Starts: noon, People: people, PerSecond: 80, Priority: priority}}
	}
	for name, c := range map[string]struct {
		change func(*forecast.Input)
		stays  time.Duration
	}{
		"a share of others, unused":       {func(in *forecast.Input) { in.Shares = orders }, d + 37500*time.Millisecond},
		"its own share besides open ones": {func(in *forecast.Input) { in.Shares, in.Share = orders, "orders" }, 125 * time.Second},
		"a share that is no longer there": {func(in *forecast.Input) { in.Shares, in.Share = orders, "gone" }, d + 37500*time.Millisecond},
		"its own share, all else is taken": {func(in *forecast.Input) {
			in.People, in.Shares, in.Share, in.Used = 3000, orders, "orders", freed(7000, 3*h)
		}, 37500 * time.Millisecond},
		"its own share is used too": {func(in *forecast.Input) {
			in.People, in.Shares, in.Share = 1000, orders, "orders"
			in.Used = append(freed(7000, 3*h), forecast.Freed{At: noon.Add(5 * h), People: 3000, Share: "orders"})
		}, 3*h + 12500*time.Millisecond},
		"open ones do not come back to a share": {func(in *forecast.Input) {
			in.People, in.Shares = 1000, orders
			in.Used = append([]forecast.Freed{{At: noon.Add(h), People: 3000, Share: "orders"}}, freed(7000, 3*h)...)
		}, 3*h + 12500*time.Millisecond},
		"another takes from its own share": {func(in *forecast.Input) {
			in.People, in.Shares, in.Others = 7000, orders, beside(3000, "")
			in.Others[0].Share = "orders"
		}, 87500 * time.Millisecond},
		"low beside high": {func(in *forecast.Input) { in.People, in.Priority, in.Others = 5000, "low", beside(8000, "high") }, d + 37500*time.Millisecond},
		"low beside high that has a share": {func(in *forecast.Input) {
			in.People, in.Priority, in.Others, in.Shares = 5000, "low", beside(8000, "high"), orders
			// It takes 3,000 of its own and 5,000 open ones; its own come back to it.
			in.Others[0].Share = "orders"
		}, d + 50*time.Second},
		"high beside low":            {func(in *forecast.Input) { in.People, in.Priority, in.Others = 8000, "high", beside(20_000, "low") }, 100 * time.Second},
		"high beside low, one's all": {func(in *forecast.Input) { in.Priority, in.Others = "high", beside(20_000, "") }, 125 * time.Second},
		"normal is what is not said": {func(in *forecast.Input) { in.Priority, in.Others = "normal", beside(10_000, "") }, d + 62500*time.Millisecond},
		"before one that begins later": {func(in *forecast.Input) {
			in.Priority, in.Others = "low", beside(8000, "high")
			in.Others[0].Starts = noon.Add(h)
		}, 125 * time.Second},
		"beside a slow one: a day of it": {func(in *forecast.Input) { in.People, in.Priority, in.Others = 8900, "low", slow(50_000, 1000) }, 111250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := broadcast()
			in.People = 10_000
			c.change(&in)
			f := forecast.Predict(in)
			if got := after(t, &f.Stays); (got - c.stays.Round(time.Second)).Abs() > time.Second {
				t.Errorf("%v, want %v", got, c.stays)
			}
			sum(t, f.Stays, in.People)
		})
	}
}

// slow is a campaign of high priority that sends so many a day.
func slow(people int64, perDay float64) []forecast.Other {
	return []forecast.Other{{Starts: noon, People: people, PerSecond: perDay / 86_400, Priority: "high", Paced: true}}
}
