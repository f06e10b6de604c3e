package quota_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"bareed/sandbox/quota"
)

// Against the plainest possible count, over random traffic.
func TestWindowAndUniquesAgainstAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var w quota.Window
		var u quota.Uniques
		var sent, reached []time.Time
		var who []string
		now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		for range 400 {
			now = now.Add(time.Duration(rng.IntN(40)) * time.Millisecond)
			if rng.IntN(60) == 0 {
				now = now.Add(time.Duration(rng.IntN(30)) * time.Hour)
			}
			n := 0
			for _, at := range sent {
				if at.After(now.Add(-time.Second)) {
					n++
				}
			}
			if got := w.Count(now); got != n {
				t.Fatalf("seed %d: %d in the second, want %d", seed, got, n)
			}
			if n < 20 {
				w.Add(now)
				sent = append(sent, now)
			}
			p := string(rune('a' + rng.IntN(26)))
			people := map[string]bool{}
			for i, at := range reached {
				if at.After(now.Add(-24 * time.Hour)) {
					people[who[i]] = true
				}
			}
			want := people[p] || len(people) < 10
			if got := u.Reach(p, now, 10); got != want {
				t.Fatalf("seed %d: reach %v, want %v", seed, got, want)
			}
			if want {
				reached, who = append(reached, now), append(who, p)
			}
		}
		if w.Most > 20 || u.Most > 10 {
			t.Errorf("seed %d: %d in a second, %d people", seed, w.Most, u.Most)
		}
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	var p quota.Pairs
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	send := func(at time.Duration) bool {
		when := now.Add(at)
		if !p.Allows("x", when, 6*time.Second, 3) {
			return false
		}
		p.Add("x", when, 6*time.Second)
		return true
	}
	for _, step := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true}, {time.Second, true}, {2 * time.Second, true}, {3 * time.Second, false}, // three borrowed, 18 s to pay
		{17 * time.Second, false}, {18 * time.Second, true}, {23 * time.Second, true}, {24 * time.Second, false}, // 12 s to pay
		{29 * time.Second, false}, {30 * time.Second, true}, {36 * time.Second, true},
	} {
		if got := send(step.at); got != step.want {
			t.Errorf("%v: %v", step.at, got)
		}
	}
	if !p.Allows("x", now.Add(36*time.Second), 0, 3) {
		t.Error("switched off")
	}
}
