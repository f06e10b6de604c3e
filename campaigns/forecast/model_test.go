package forecast_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"bareed/campaigns/forecast"
)

// model goes person by person: each leaves a step behind the one before, and not
// before a place is free. It is what the arithmetic stands for.
func model(in forecast.Input) time.Time {
	var frees []time.Time
	for _, u := range in.Used {
		for range u.People {
			frees = append(frees, u.At)
		}
	}
	room := int(forecast.Usable(in.Limit, in.Reserve)) - len(frees)
	step := time.Duration(float64(time.Second) / in.PerSecond)
	now := in.Starts
	for range in.People {
		for len(frees) > 0 && !frees[0].After(now) {
			frees, room = frees[1:], room+1
		}
		for room <= 0 {
			now = frees[0]
			frees, room = frees[1:], room+1
		}
		now = now.Add(step)
		frees, room = append(frees, now.Add(24*time.Hour)), room-1
	}
	return now
}

func TestAgainstAModelOfPersons(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		in := forecast.Input{Now: noon, Starts: noon.Add(time.Duration(r.IntN(7200)) * time.Second), People: 1 + r.Int64N(3000),
			Limit: 100 + r.Int64N(1000), Reserve: float64(r.IntN(4)) / 10, PerSecond: 0.1 + 30*r.Float64()}
		at := noon
		for range r.IntN(6) {
			at = at.Add(time.Duration(r.IntN(4*3600)) * time.Second)
			in.Used = append(in.Used, forecast.Freed{At: at, People: 1 + r.Int64N(in.Limit/6)})
		}
		got, want := forecast.Predict(in), model(in)
		// A place is taken at a person's departure there and evenly here: each
		// round of the limit may differ by one person's step.
		rounds := 2 + in.People/max(1, forecast.Usable(in.Limit, in.Reserve))
		slack := time.Duration(float64(rounds)*float64(time.Second)/in.PerSecond) + time.Second
		if got.Stays.EndsAt == nil || got.Stays.EndsAt.Sub(want).Abs() > slack {
			t.Errorf("seed %d: %v, want %v within %v (%+v)", seed, got.Stays.EndsAt, want, slack, in)
		}
	}
}
