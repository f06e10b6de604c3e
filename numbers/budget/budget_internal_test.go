package budget

import (
	"testing"
	"time"
)

// TestWithinBudget polls every ten seconds for hours, as while a campaign sends, and
// counts what Meta would: never more than it permits in any 60 minutes.
func TestWithinBudget(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		registered     bool
		calls          int
		budget, atMost int // polls in any hour
		atLeast        int
	}{
		"a registered number":               {true, 3, Registered, 361, 360},
		"and six thousand templates a poll": {true, 26, Registered, 361, 60},
		"none registered":                   {false, 3, Unregistered, 70, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var u Usage
			var polls []time.Time
			start := time.Date(2026, 11, 22, 10, 7, 0, 0, time.UTC)
			for now := start; now.Before(start.Add(7 * time.Hour)); now = now.Add(10 * time.Second) {
				if u.PauseUntil != nil && u.PauseUntil.After(now) {
					continue
				}
				u.spend(Spent{Calls: tt.calls, Registered: tt.registered}, now)
				polls = append(polls, now)
				hour := 0
				for i := len(polls) - 1; i >= 0 && polls[i].After(now.Add(-time.Hour)); i-- {
					hour++
				}
				if hour*tt.calls > tt.budget || hour > tt.atMost {
					t.Fatalf("%v: %d polls, %d calls in an hour, %d permitted", now.Sub(start), hour, hour*tt.calls, tt.budget)
				}
				if now.Sub(start) > time.Hour && hour < tt.atLeast {
					t.Fatalf("%v: only %d polls in an hour", now.Sub(start), hour)
				}
			}
		})
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name     string
		calls    int // so far in this hour
		refusals int
		spent    Spent
		want     time.Duration
	}{
		{"at ease", 100, 0, Spent{Calls: 3, Registered: true}, 0},
		{"a fifth is left", 4000, 0, Spent{Calls: 3, Registered: true}, time.Minute},
		{"nearly used up", 4760, 0, Spent{Calls: 3, Registered: true}, 10 * time.Minute},
		{"Meta counts more than we do", 10, 0, Spent{Calls: 3, Registered: true, Percent: 96}, 10 * time.Minute},
		{"the first refusal", 10, 0, Spent{Calls: 1, Refused: 80007}, time.Minute},
		{"the fourth in a row", 10, 3, Spent{Calls: 1, Refused: 80007}, 8 * time.Minute},
		{"many", 10, 19, Spent{Calls: 1, Refused: 80007}, time.Hour},
		{"Meta names the time", 10, 0, Spent{Calls: 1, Refused: 80007, Wait: 12 * time.Minute}, 12 * time.Minute},
		{"Meta names less than we learnt", 10, 4, Spent{Calls: 1, Refused: 80007, Wait: time.Minute}, 16 * time.Minute},
	} {
		u := Usage{Hour: now.Truncate(time.Hour), Calls: tt.calls, Budget: Registered, Refusals: tt.refusals}
		u.spend(tt.spent, now)
		got := time.Duration(0)
		if u.PauseUntil != nil {
			got = u.PauseUntil.Sub(now)
		}
		if got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestRoll: what was called in the hour before fades, and is forgotten after two.
func TestRoll(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 59, 0, 0, time.UTC)
	var u Usage
	u.spend(Spent{Calls: 60, Registered: true}, at)
	for after, want := range map[time.Duration]int{0: 60, time.Minute: 60, 31 * time.Minute: 30, 60 * time.Minute: 1, 3 * time.Hour: 0} {
		if got := u.Used(at.Add(after)); got != want {
			t.Errorf("after %v: %d, want %d", after, got, want)
		}
	}
	u.spend(Spent{Calls: 5, Registered: true}, at.Add(31*time.Minute))
	if u.Before != 60 || u.Calls != 5 {
		t.Errorf("the next hour: %+v", u)
	}
	u.spend(Spent{Calls: 5, Registered: true}, at.Add(5*time.Hour))
	if u.Before != 0 || u.Calls != 5 {
		t.Errorf("hours later: %+v", u)
	}
}
