package caps_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bareed/campaigns/caps"
	"bareed/internal/errs"
)

func TestOver(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	ago := func(hours ...int) (list []time.Time) {
		for _, h := range hours {
			list = append(list, at.Add(-time.Duration(h)*time.Hour))
		}
		return list
	}
	two, day := caps.Frequency{Most: 2, Days: 7}, caps.Frequency{Most: 1, Days: 1}
	for _, tt := range []struct {
		name  string
		rules []caps.Frequency
		times []time.Time
		over  bool
	}{
		{"no rule", nil, ago(1, 2, 3), false},
		{"nothing was sent", []caps.Frequency{two}, nil, false},
		{"room for one", []caps.Frequency{two}, ago(100), false},
		{"as many as permitted", []caps.Frequency{two}, ago(100, 1), true},
		{"one is exactly as old as the rule looks back", []caps.Frequency{two}, ago(7*24, 1), false},
		{"a moment younger", []caps.Frequency{two}, []time.Time{at.Add(-7*24*time.Hour + time.Nanosecond), at}, true},
		{"all are older", []caps.Frequency{two}, ago(200, 300, 400), false},
		{"what will go counts too", []caps.Frequency{two}, ago(-1, -50), true},
		{"every rule holds: the short one", []caps.Frequency{two, day}, ago(2), true},
		{"every rule holds: the long one", []caps.Frequency{day, two}, ago(30, 60), true},
		{"neither holds", []caps.Frequency{day, two}, ago(30), false},
	} {
		if got := caps.Over(tt.rules, tt.times, at); got != tt.over {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if got := caps.Longest([]caps.Frequency{day, two}); got != 7*24*time.Hour {
		t.Errorf("the longest looks back %v", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		s      caps.SendingSettings
		faults []string // pointers
	}{
		{"nothing", caps.SendingSettings{}, nil},
		{"the least", caps.SendingSettings{Frequency: []caps.Frequency{{Most: 1, Days: 1}}, CoolOffHours: 24}, nil},
		{"the most", caps.SendingSettings{Frequency: []caps.Frequency{{Most: 100, Days: 30}}, CoolOffHours: 720, BlockedCountries: []string{"kp", " CU ", "KP"}}, nil},
		{"none in no time", caps.SendingSettings{Frequency: []caps.Frequency{{Most: 3, Days: 7}, {}}}, []string{"/frequency/1/most", "/frequency/1/days"}},
		{"too long", caps.SendingSettings{Frequency: []caps.Frequency{{Most: 101, Days: 31}}}, []string{"/frequency/0/most", "/frequency/0/days"}},
		{"too many", caps.SendingSettings{Frequency: slices.Repeat([]caps.Frequency{{Most: 1, Days: 1}}, 6)}, []string{"/frequency"}},
		{"less than Meta asks for", caps.SendingSettings{CoolOffHours: 23}, []string{"/cool_off_hours"}},
		{"longer than a month", caps.SendingSettings{CoolOffHours: 721}, []string{"/cool_off_hours"}},
		{"no country", caps.SendingSettings{BlockedCountries: []string{"KP", "Korea"}}, []string{"/blocked_countries/1"}},
	} {
		got, err := tt.s.Check()
		var faults []string
		if e, ok := errs.As(err); ok {
			for _, f := range e.Fields {
				faults = append(faults, f.Pointer)
			}
		}
		if !slices.Equal(faults, tt.faults) || (err == nil) != (tt.faults == nil) {
			t.Errorf("%s: %v, %v", tt.name, faults, err)
		}
		if err == nil && (got.CoolOffHours < 24 || got.Frequency == nil || got.BlockedCountries == nil) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	got, err := caps.SendingSettings{BlockedCountries: []string{"kp", " CU ", "KP"}}.Check()
	if err != nil || !slices.Equal(got.BlockedCountries, []string{"CU", "KP"}) {
		t.Errorf("%v, %v", got.BlockedCountries, err)
	}
}

func TestBlocked(t *testing.T) {
	t.Parallel()
	r := caps.SendingRules{SendingSettings: caps.SendingSettings{BlockedCountries: []string{"CU"}}, Operator: []string{"KP"}}
	for country, blocked := range map[string]bool{"CU": true, "KP": true, "SA": false, "": false} {
		if r.Blocked(country) != blocked {
			t.Errorf("%q: %v", country, !blocked)
		}
	}
}

func FuzzParseCountries(f *testing.F) {
	for _, s := range []string{"", "KP", "kp, cu", "KP،CU", "KP,,CU", "KPX", "1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := caps.ParseCountries(s)
		if err != nil {
			return
		}
		again, err := caps.ParseCountries(strings.Join(list, ","))
		if err != nil || !slices.Equal(list, again) {
			t.Errorf("%q: %v, then %v, %v", s, list, again, err)
		}
	})
}
