package forecast_test

import (
	"slices"
	"testing"
	"time"

	"bareed/campaigns/forecast"
)

// A campaign that goes in waves stands still behind each, on top of whatever else
// holds it up; the places it took meanwhile come back while it does.
func TestWaves(t *testing.T) {
	t.Parallel()
	const d, h, m = 24 * time.Hour, time.Hour, time.Minute
	canary := []forecast.Wave{{People: 500, Wait: 30 * m}, {People: 2500, Wait: 30 * m}, {People: 12_500, Wait: 30 * m}}
	for name, c := range map[string]struct {
		change func(*forecast.Input)
		stays  time.Duration
	}{
		"no limit": {func(in *forecast.Input) { in.Limit = 0 }, 90*m + 625*time.Second},
		// The limit stops the third wave; it ends, and is watched, on the second day
		// while that day's places come back.
		"fifty thousand at ten thousand": {func(*forecast.Input) {}, 4*d + 3725*time.Second},
		"at its gate":                    {func(in *forecast.Input) { in.Limit, in.Waves = 0, []forecast.Wave{{People: 0, Wait: 10 * m}} }, 10*m + 625*time.Second},
		"at its gate, with another ahead": {func(in *forecast.Input) {
			in.Limit, in.Waves = 0, []forecast.Wave{{People: 0, Wait: 10 * m}, {People: 8000, Wait: 30 * m}}
		}, 40*m + 625*time.Second},
		"the gate was over":            {func(in *forecast.Input) { in.Limit, in.Waves = 0, []forecast.Wave{{People: 0}} }, 625 * time.Second},
		"fewer left than the wave has": {func(in *forecast.Input) { in.Limit, in.People, in.Waves = 0, 400, canary[:1] }, 5 * time.Second},
		"it begins later":              {func(in *forecast.Input) { in.Limit, in.Starts = 0, noon.Add(h) }, h + 90*m + 625*time.Second},
		"only in certain hours": {func(in *forecast.Input) { // the last gate opens behind them
			in.Limit, in.Waves = 0, canary[:1]
			in.Around = func(at time.Time) (time.Time, time.Time) {
				opens := noon.Add(at.Sub(noon).Truncate(d))
				if at.Sub(opens) >= 20*m {
					opens = opens.Add(d)
				}
				return opens, opens.Add(20 * m)
			}
		}, d + 618750*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := broadcast()
			in.Waves = canary
			c.change(&in)
			f := forecast.Predict(in)
			if got := after(t, &f.Stays); got != c.stays.Round(time.Second) {
				t.Errorf("%v, want %v", got, c.stays)
			}
			sum(t, f.Stays, in.People)
			var want []int64
			for _, w := range in.Waves {
				want = append(want, w.People)
			}
			if !slices.Equal(f.Waves, want) {
				t.Errorf("waves %v, want %v", f.Waves, want)
			}
		})
	}
	in := broadcast()
	in.Waves = canary
	f := forecast.Predict(in)
	// Half of the limit is used in the third wave, an hour in; six hours later the
	// limit rises, while the third wave waits for places; then its gate, and the rest.
	if got, want := after(t, f.Rises), 3631250*time.Millisecond+31250*time.Millisecond+6*h+31250*time.Millisecond+30*m+468750*time.Millisecond; got != want.Round(time.Second) {
		t.Errorf("the limit rises: %v, want %v", got, want)
	}
}
