package scheduler

import (
	"testing"
	"time"

	"bareed/campaigns"
	"bareed/queue"
)

// A machine whose clock is an hour or a day off, and one whose clock jumps in the
// middle: what is due, and when, the database says. Nothing fires early, late or
// twice, and everybody is handed over once.
func TestAProcessWhoseClockIsOff(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, offs := range map[string][2]time.Duration{ // before its time, and from then on
		"a day ahead": {day, day}, "a day behind": {-day, -day}, "an hour ahead": {time.Hour, time.Hour}, "an hour behind": {-time.Hour, -time.Hour},
		"it jumps a day ahead": {0, day}, "it jumps a day back": {day, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := planner(t)
			off, passed := offs[0], time.Duration(0)
			s.Clock = func() time.Time { return time.Now().Add(off + passed) }
			clock := clockOf(t, b)
			l := planned(t, b, "Hourly", cronRules("UTC", "0 * * * *"))
			handed := func() (n int) {
				for range 10 {
					passed += tick
					if err := s.feed(t.Context()); err != nil {
						t.Fatal(err)
					}
					n += len(s.release.due(s.Clock().Add(time.Hour)))
				}
				return n
			}
			clock.to(t, l.StartsAt.Add(-time.Minute))
			planPeople(t, b, l.RunID)
			fire(t.Context(), t, s, b)
			if _, list := state(t, b, l.CampaignID); list[0].State != "planning" || handed() != 0 {
				t.Fatalf("a minute before its time it is %s", list[0].State)
			}
			clock.to(t, l.StartsAt.Add(time.Second))
			fire(t.Context(), t, s, b)
			handed()
			off = offs[1]
			fire(t.Context(), t, s, b)
			handed()
			now, list := state(t, b, l.CampaignID)
			if last := list[len(list)-1]; now.State != campaigns.Running || last.State != "running" || last.LateSeconds > 60 {
				t.Fatalf("at its time: %s %+v", now.State, list)
			}
			b.Do(t, `update message set state = 'accepted', attempt = 1, accepted_at = bareed_now() where workspace_id = $1 and state = 'ready'`, b.Workspace)
			finish(t, s)
			fire(t.Context(), t, s, b)
			now, list = state(t, b, l.CampaignID)
			if now.State != campaigns.Scheduled || len(list) != 2 || list[1].State != "completed" || list[0].State != "planning" || !list[0].StartsAt.Equal(l.StartsAt.Add(time.Hour)) {
				t.Errorf("afterwards: %s %+v", now.State, list)
			}
		})
	}
}

// However far the process's clock jumps between two ticks, everybody is handed
// over, once.
func TestFeedOnAClockThatJumps(t *testing.T) {
	t.Parallel()
	const people = 60
	f := newFeeding(t, people, 0)
	seen := map[int32]int{}
	for i := range 60 {
		f.now = f.now.Add([]time.Duration{tick, 24 * time.Hour, tick, -24 * time.Hour, -time.Hour, tick, tick, time.Hour}[i%8])
		f.now = f.now.Add(tick)
		if err := f.feed(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, task := range f.release.due(f.now.Add(time.Hour)) {
			seen[task.(queue.SendMessage).Ordinal]++
		}
	}
	for ordinal, n := range seen {
		if n > 1 {
			t.Errorf("%d was handed over %d times", ordinal, n)
		}
	}
	if len(seen) != people {
		t.Errorf("%d of %d were handed over", len(seen), people)
	}
}
