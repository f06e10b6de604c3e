//go:build unix

package main_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The ordinary day, and every disturbance a person or Meta brings: an opt-out
// while it runs, a quality drop, a pause, fifty impatient fingers.
func (l *life) ofACampaign() {
	l.t.Run("fifty launches at once make one run", func(t *testing.T) {
		l := l.with(t)
		campaign, eligible := l.campaign("Everyday", l.audience("First", 0, 200), 0)
		if eligible != 200 {
			t.Fatalf("%d of 200 are eligible", eligible)
		}
		if _, err := l.launch(campaign, eligible+1); err == nil {
			t.Error("a launch with a wrong figure was accepted")
		}
		runs := l.launchTogether(campaign, eligible, 50)
		if len(runs) != 1 {
			t.Fatalf("fifty launches made the runs %v", runs)
		}
		for run := range runs {
			if r := l.finish(campaign, run); r.Accepted != 200 || r.Delivered != 200 {
				t.Errorf("of 200: %+v", r)
			}
		}
	})

	l.t.Run("an opt-out while it runs", func(t *testing.T) {
		l := l.with(t)
		campaign, eligible := l.campaign("With a STOP", l.audience("Second", 1000, 240), 1800)
		run, err := l.launch(campaign, eligible)
		if err != nil {
			t.Fatal(err)
		}
		l.until("the first messages", func() bool { return l.report(campaign).Accepted > 20 })
		last := phone(1000 + 239)
		l.control("/sandbox/inbound", map[string]any{"phone_number_id": l.tenant.Meta.Number, "from": last, "text": "إيقاف"}, nil)
		r := l.finish(campaign, run)
		if r.Suppressed["opted_out"] != 1 || r.Accepted != 239 {
			t.Errorf("after one opt-out of 240: %+v", r)
		}
	})

	l.t.Run("a quality drop holds it and a person resumes", func(t *testing.T) {
		l := l.with(t)
		campaign, eligible := l.campaign("With a drop", l.audience("Third", 2000, 240), 600) // longer than Meta is asked for the quality
		run, err := l.launch(campaign, eligible)
		if err != nil {
			t.Fatal(err)
		}
		l.until("the first messages", func() bool { return l.report(campaign).Accepted > 20 })
		l.control("/sandbox/number", map[string]any{"phone_number_id": l.tenant.Meta.Number, "quality_rating": "YELLOW"}, nil)
		l.until("the hold", func() bool { return l.report(campaign).Holding })
		held := l.report(campaign)
		if len(held.Stops) == 0 || held.Stops[0].Reason != "quality_yellow" || held.Stops[0].Scope != "number" {
			t.Errorf("the hold does not say why: %+v", held.Stops)
		}
		// What was claimed before the stop leaves within a quarter of a second.
		l.during(time.Second, func() {})
		sent := l.summary().ByRun[run]
		if sent >= 240 {
			t.Fatal("everything had left before the hold: nothing is tested")
		}
		l.call("POST", "/v1/campaigns/"+campaign+"/pause", nil, nil)
		l.call("POST", "/v1/campaigns/"+campaign+"/resume", nil, nil) // a person's pause only
		if r := l.report(campaign); !r.Holding || r.Paused {
			t.Errorf("resuming a pause cleared the hold: %+v", r)
		}
		l.during(2*time.Second, func() {
			if now := l.summary().ByRun[run]; now != sent {
				t.Fatalf("%d messages left during the hold", now-sent)
			}
		})
		l.clearHolds(campaign)
		if r := l.finish(campaign, run); r.Accepted != 240 {
			t.Errorf("of 240 after the hold: %+v", r)
		}
		l.recover() // marketing on a number rated lower asks for a confirmation
	})

	l.t.Run("pause and resume fifty times", func(t *testing.T) {
		l := l.with(t)
		campaign, eligible := l.campaign("Nervous", l.audience("Fourth", 3000, 200), 4000)
		run, err := l.launch(campaign, eligible)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, action := range []string{"pause", "resume"} {
			wg.Go(func() {
				for range 50 {
					if err := l.Call(t.Context(), l.tenant.Key, "POST", "/v1/campaigns/"+campaign+"/"+action, nil, nil); err != nil {
						t.Errorf("%s: %v", action, err)
					}
				}
			})
		}
		wg.Wait()
		l.call("POST", "/v1/campaigns/"+campaign+"/resume", nil, nil)
		if r := l.finish(campaign, run); r.Accepted != 200 {
			t.Errorf("of 200: %+v", r)
		}
	})

	l.t.Run("stop ends it and accounts for the rest", func(t *testing.T) {
		l := l.with(t)
		campaign, eligible := l.campaign("Stopped", l.audience("Fifth", 4000, 200), 600)
		run, err := l.launch(campaign, eligible)
		if err != nil {
			t.Fatal(err)
		}
		l.until("the first messages", func() bool { return l.report(campaign).Accepted > 20 })
		l.call("POST", "/v1/campaigns/"+campaign+"/stop", nil, nil)
		r := l.finish(campaign, run)
		if r.State != "stopped" || r.Total != 200 || r.SuppressedTotal+r.Accepted != 200 || r.SuppressedTotal == 0 {
			t.Errorf("after the stop: %+v", r)
		}
	})
}

// Everything that machines do to us while a campaign runs, and nobody is
// messaged twice, nobody is lost, nothing stays stuck.
func TestLifeUnderFaults(t *testing.T) {
	t.Parallel()
	l := start(t, 2, 2)
	const people = 1000
	campaign, eligible := l.campaign("Under faults", l.audience("All", 0, people), 6000)
	l.control("/sandbox/faults", map[string]any{"kind": "cut", "probability": 0.01, "count": 10}, nil)
	run, err := l.launch(campaign, eligible)
	if err != nil {
		t.Fatal(err)
	}
	accepted := func(n int) {
		l.until(fmt.Sprintf("%d messages", n), func() bool { return l.report(campaign).Accepted >= n })
	}
	accepted(80)
	l.redis.FlushAll()
	accepted(220)
	l.killAndStart("worker1")
	accepted(340)
	l.killAndStart("scheduler1")
	l.killAndStart("scheduler2")
	accepted(480)
	l.stopGently("worker2")
	accepted(600)
	l.redis.FlushAll()
	l.killAndStart("worker2")
	r := l.finish(campaign, run)
	// A killed worker's claims are unknown until their receipts come; what was
	// claimed and never left has none and stays unknown for a day.
	if r.Total != people || r.Accepted+r.Unknown != people || r.Unknown > 2*32 {
		t.Errorf("of %d: %+v", people, r)
	}
}

// A deploy: SIGTERM lets what is under way finish, so nothing is unknown, of any
// tenant. Answers take their time, so that there is something under way.
func (l *life) deployed() {
	const people = 400
	l.control("/sandbox/faults", map[string]any{"kind": "slow", "slow_ms": 200, "phone_number_id": l.tenant.Meta.Number}, nil)
	campaign, eligible := l.campaign("Deploy", l.audience("All", 0, people), 4000)
	run, err := l.launch(campaign, eligible)
	if err != nil {
		l.t.Fatal(err)
	}
	for i := range 4 {
		l.until("more messages", func() bool { return l.report(campaign).Accepted > 30+70*i })
		l.stopGently(fmt.Sprintf("worker%d", 1+i%2))
		if r := l.report(campaign); r.Unknown > 0 {
			l.t.Errorf("after SIGTERM: %+v", r)
		}
	}
	if r := l.finish(campaign, run); r.Accepted != people || r.Unknown > 0 {
		l.t.Errorf("of %d: %+v", people, r)
	}
}

// Two workers share one number of 80 a second under a limit of 250 people in 24
// hours: Meta never has to refuse, and who has no place waits, ready.
func (l *life) withinItsLimit() {
	t := l.t
	campaign, eligible := l.campaign("Beyond the limit", l.audience("All", 0, 300), 0)
	run, err := l.launch(campaign, eligible)
	if err != nil {
		t.Fatal(err)
	}
	const places = 225 // 250 less the reserve of a tenth
	l.until("every place to be used", func() bool { return l.report(campaign).Delivered == places })
	first := l.tenant.Meta
	s := l.summary()
	if s.ByRun[run] != places || s.OverLimit > 0 || s.Portfolios[first.Portfolio].MaxUniques24h > 250 {
		t.Errorf("%d accepted, %d beyond the limit, at most %d people", s.ByRun[run], s.OverLimit, s.Portfolios[first.Portfolio].MaxUniques24h)
	}
	if s.ByCode["130429"] > 0 || s.Numbers[first.Number].MaxAcceptedPerSecond > 80 {
		t.Errorf("%d refused for the rate, at most %d in a second", s.ByCode["130429"], s.Numbers[first.Number].MaxAcceptedPerSecond)
	}
	if r := l.report(campaign); r.State != "running" || r.Ready != 300-places {
		t.Errorf("those without a place: %+v", r)
	}
	l.control("/sandbox/limit", map[string]any{"portfolio_id": first.Portfolio, "limit": "TIER_2K"}, nil)
	if r := l.finish(campaign, run); r.Accepted != 300 {
		t.Errorf("after the limit rose: %+v", r)
	}
}

// during looks again and again for a while: that something does not happen can
// only be watched.
func (l *life) during(d time.Duration, look func()) {
	l.t.Helper()
	end, again := time.NewTimer(d), time.NewTicker(100*time.Millisecond)
	defer end.Stop()
	defer again.Stop()
	for {
		select {
		case <-end.C:
			look()
			return
		case <-again.C:
			look()
		}
	}
}

// with makes a copy that reports to another test.
func (l *life) with(t *testing.T) *life {
	c := *l
	c.t = t
	return &c
}

func (l *life) launchTogether(campaign string, eligible, times int) map[string]int {
	l.t.Helper()
	var mu sync.Mutex
	runs := map[string]int{}
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() {
			run, err := l.launch(campaign, eligible)
			if err != nil {
				l.t.Errorf("launch: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			runs[run]++
		})
	}
	wg.Wait()
	return runs
}

// clearHolds resumes as the owner: clearing a rule's stop is a person's decision.
func (l *life) clearHolds(campaign string) {
	l.t.Helper()
	session, err := l.SignIn(l.t.Context(), l.tenant.Owner)
	if err != nil {
		l.t.Fatal(err)
	}
	err = l.Call(l.t.Context(), session, "POST", "/v1/campaigns/"+campaign+"/resume",
		map[string]any{"clear_holds": true, "reason": "looked at it"}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) killAndStart(name string) {
	l.t.Helper()
	p := l.Process(name)
	p.Kill()
	<-p.Done()
	l.begin(name)
}

func (l *life) stopGently(name string) {
	l.t.Helper()
	p := l.Process(name)
	if err := p.Signal(syscall.SIGTERM); err != nil {
		l.t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(time.Minute): // its own time is 25 s
		l.t.Fatalf("%s did not end within a minute of SIGTERM", name)
	}
	if p.Err() != nil {
		l.t.Errorf("%s ended with %v", name, p.Err())
	}
	l.begin(name)
}

func (l *life) begin(name string) {
	l.t.Helper()
	if err := l.StartProcess(context.WithoutCancel(l.t.Context()), name); err != nil {
		l.t.Fatal(err)
	}
	if err := l.WaitReady(l.t.Context(), name); err != nil {
		l.t.Fatal(err)
	}
}
