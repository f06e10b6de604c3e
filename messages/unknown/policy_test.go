package unknown_test

import (
	"testing"
	"time"

	"bareed/messages/unknown"
)

func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		purpose string
		echo    bool
		want    unknown.Policy
	}{
		{"marketing", true, unknown.Hold}, {"marketing", false, unknown.Hold},
		{"utility", true, unknown.Evidence}, {"utility", false, unknown.Hold},
		{"authentication", true, unknown.Hold}, {"authentication", false, unknown.Hold},
	} {
		if got := unknown.Default(tt.purpose, tt.echo); got != tt.want {
			t.Errorf("%s, echo seen %v: %s, want %s", tt.purpose, tt.echo, got, tt.want)
		}
	}
}

func TestSettingsHaveAFloor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ given, want unknown.Settings }{
		{unknown.Settings{}, unknown.Settings{After: 15 * time.Minute, Horizon: 24 * time.Hour}},
		{unknown.Settings{After: time.Minute, Horizon: time.Hour}, unknown.Settings{After: 10 * time.Minute, Horizon: time.Hour}},
		{unknown.Settings{After: time.Hour}, unknown.Settings{After: time.Hour, Horizon: 24 * time.Hour}},
	} {
		if got := tt.given.Filled(); got != tt.want {
			t.Errorf("%+v is filled to %+v, want %+v", tt.given, got, tt.want)
		}
	}
}

// Every condition alone keeps a message from being sent again.
func TestJudge(t *testing.T) {
	t.Parallel()
	proven := unknown.Facts{Age: 15 * time.Minute, Heard: 20, EchoSeen: true}
	with := func(change func(*unknown.Facts)) unknown.Facts {
		f := proven
		change(&f)
		return f
	}
	for _, tt := range []struct {
		name  string
		facts unknown.Facts
		want  unknown.Verdict
	}{
		{"all conditions hold", proven, unknown.Proven},
		{"many neighbours", with(func(f *unknown.Facts) { f.Heard = 4000 }), unknown.Proven},
		{"a second too young", with(func(f *unknown.Facts) { f.Age -= time.Second }), unknown.TooEarly},
		{"19 neighbours", with(func(f *unknown.Facts) { f.Heard = 19 }), unknown.FewNeighbours},
		{"no neighbours", with(func(f *unknown.Facts) { f.Heard = 0 }), unknown.FewNeighbours},
		{"one silent neighbour among many", with(func(f *unknown.Facts) { f.Heard, f.Silent = 4000, 1 }), unknown.NeighboursSilent},
		{"one held neighbour among many", with(func(f *unknown.Facts) { f.Heard, f.Held = 4000, 1 }), unknown.NeighboursHeld},
		{"an event waits", with(func(f *unknown.Facts) { f.Waiting = true }), unknown.EventsWaiting},
		{"an event could not be applied", with(func(f *unknown.Facts) { f.Lost = true }), unknown.EventsLost},
		{"the number never echoed", with(func(f *unknown.Facts) { f.EchoSeen = false }), unknown.NoEchoSeen},
		{"it was sent again before", with(func(f *unknown.Facts) { f.Resent = true }), unknown.AlreadyResent},
	} {
		if got := unknown.Judge(tt.facts, unknown.Settings{}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := unknown.Judge(with(func(f *unknown.Facts) { f.Age = 9 * time.Minute }), unknown.Settings{After: time.Second}); got != unknown.TooEarly {
		t.Errorf("below the floor: %s", got)
	}
}
