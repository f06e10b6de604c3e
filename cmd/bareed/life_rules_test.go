//go:build unix

package main_test

import (
	"math/rand/v2"
	"strings"
	"time"

	"bareed/client"
	"bareed/sandbox/journal"
)

// slots is what two workers of a life test have together.
const slots = 64

// rules sets the workspace's rules, as an owner does.
func (l *life) rules(s client.BreakerSettings) {
	l.t.Helper()
	session, err := l.SignIn(l.t.Context(), l.tenant.Owner)
	if err != nil {
		l.t.Fatal(err)
	}
	c := l.Client(session)
	was, err := c.GetBreaker(l.t.Context())
	if err == nil {
		_, err = c.SetBreaker(l.t.Context(), was.ETag, s)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) waves(campaign string) (w client.Waves) {
	l.t.Helper()
	w, err := l.Client(l.tenant.Key).GetWaves(l.t.Context(), campaign)
	if err != nil {
		l.t.Fatal(err)
	}
	return w
}

// requests lists what left of a run, by the journal.
func (l *life) requests(run string) (list []journal.Entry) {
	l.t.Helper()
	var page struct{ Entries []journal.Entry }
	l.control("/sandbox/journal?limit=100000", nil, &page)
	for _, e := range page.Entries {
		if strings.Contains(e.CallbackData, run) {
			list = append(list, e)
		}
	}
	return list
}

// arrived counts the messages of a run that Meta took and did not hold back, by
// the person.
func (l *life) arrived(run string) map[string]int {
	l.t.Helper()
	people := map[string]int{}
	for _, e := range l.requests(run) {
		if e.Accepted && !e.Held {
			people[e.Recipient]++
		}
	}
	return people
}

func ptr[T any](v T) *T { return &v }

// recover has Meta rate the number well again, and waits until that is known.
func (l *life) recover() {
	l.t.Helper()
	l.control("/sandbox/number", map[string]any{"phone_number_id": l.tenant.Meta.Number, "quality_rating": "GREEN", "webhook": true}, nil)
	l.until("the better rating", func() bool {
		n, err := l.Client(l.tenant.Key).GetNumber(l.t.Context(), l.tenant.Number)
		return err == nil && n.Quality == "GREEN"
	})
}

// Campaigns in waves, and Meta's rating falls at a moment of nobody's choosing: at
// most one request for each slot begins after the stop's commit, the gate does not
// open while it holds, and resuming reaches everybody once.
func (l *life) inWaves() {
	t := l.t
	l.rules(client.BreakerSettings{Waves: ptr("always"), WavesFrom: ptr(int64(100)), CanaryPeople: ptr(int64(60)), WaveShares: &[]float64{50}, WaveWait: ptr(0)})
	const people = 300
	for round := range 2 {
		campaign, eligible := l.campaign("Waves "+string(rune('A'+round)), l.audience("List "+string(rune('A'+round)), 1000*round, people), 3000)
		run, err := l.launch(campaign, eligible)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(10 + rand.IntN(160))
		l.until("the moment", func() bool { return l.summary().ByRun[run] >= at })
		l.control("/sandbox/number", map[string]any{"phone_number_id": l.tenant.Meta.Number, "quality_rating": "YELLOW", "webhook": true}, nil)
		l.until("the hold", func() bool { return l.report(campaign).Holding })
		var c client.Campaign
		l.call("GET", "/v1/campaigns/"+campaign, nil, &c)
		since := c.Stops[0].Since
		l.during(2*time.Second, func() {})
		after := 0
		for _, e := range l.requests(run) {
			if e.At.After(since) {
				after++
			}
		}
		if after > slots {
			t.Errorf("from message %d on: %d requests after the stop, the workers have %d slots", at, after, slots)
		}
		sent := l.summary().ByRun[run]
		w := l.waves(campaign)
		if len(w.Waves) != 3 || w.Open < 3 && w.Waits != "stop" {
			t.Errorf("held: %+v", w)
		}
		t.Logf("round %d: dropped at %d, held at %d of %d in wave %d, %d after the commit", round, at, sent, people, w.Open, after)

		l.recover()
		l.clearHolds(campaign)
		if r := l.finish(campaign, run); r.Accepted != people || r.FailedTotal != 0 {
			t.Errorf("of %d: %+v", people, r)
		}
		if w := l.waves(campaign); w.Open != 3 || w.Waves[0].PassedAt == nil || w.Waves[1].PassedAt == nil {
			t.Errorf("at the end: %+v", w)
		}
	}
}

// Meta paces a template: feeding waits by itself, what Meta drops never fails, and
// a person has it sent anew; everybody gets one message.
func (l *life) ofHeldMessages() {
	t := l.t
	l.rules(client.BreakerSettings{HeldMost: ptr(int64(20))})
	const people = 200
	l.control("/sandbox/holds", map[string]any{"action": "hold", "template": "offer", "phone_number_id": l.tenant.Meta.Number, "after": 30}, nil)
	campaign, eligible := l.campaign("Paced", l.audience("List", 0, people), 1000) // longer than the rule takes to look
	run, err := l.launch(campaign, eligible)
	if err != nil {
		t.Fatal(err)
	}
	l.until("the wait for Meta", func() bool {
		r := l.report(campaign)
		return len(r.Stops) > 0 && r.Stops[0].Reason == "held_by_meta"
	})
	l.during(time.Second, func() {})
	sent := l.summary().ByRun[run]
	if sent == people {
		t.Fatal("everything had left before the wait: nothing is tested")
	}
	l.during(2*time.Second, func() {
		if now := l.summary().ByRun[run]; now != sent {
			t.Fatalf("%d messages left during the wait", now-sent)
		}
	})
	l.control("/sandbox/holds", map[string]any{"action": "drop", "pause_template": true}, nil)
	held := func() client.Held {
		h, err := l.Client(l.tenant.Key).GetHeld(t.Context(), campaign)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	l.until("the drop", func() bool { return held().Dropped == sent-30 })
	r := l.report(campaign)
	if r.FailedTotal != 0 || !r.Holding || int64(r.Held) != sent-30 {
		t.Errorf("after the drop: %+v", r)
	}

	l.control("/sandbox/template", map[string]any{"template_id": l.tenant.Meta.OfferID(), "status": "APPROVED"}, nil)
	l.until("the template", func() bool {
		template, err := l.Template(t.Context(), l.tenant, "offer", "en")
		if err != nil {
			return false
		}
		var got struct{ Status string }
		l.call("GET", "/v1/templates/"+template, nil, &got)
		return got.Status == "APPROVED"
	})
	session, err := l.SignIn(t.Context(), l.tenant.Owner)
	if err != nil {
		t.Fatal(err)
	}
	dropped := held().Dropped
	if _, err := l.Client(session).ReturnHeld(t.Context(), campaign, dropped+1); err == nil {
		t.Error("a wrong figure was taken")
	}
	for range 2 { // repeated, it is the same answer
		if got, err := l.Client(session).ReturnHeld(t.Context(), campaign, dropped); err != nil || got.Messages != dropped {
			t.Fatalf("returned: %+v, %v", got, err)
		}
	}
	l.clearHolds(campaign)
	l.until("the end", func() bool {
		r = l.report(campaign)
		return r.State == "completed" && r.Delivered == people
	})
	if r.FailedTotal+r.Held+r.Unknown+r.Unconfirmed != 0 {
		t.Errorf("at the end: %+v", r)
	}
	arrived := l.arrived(run)
	if len(arrived) != people {
		t.Errorf("%d people were sent to, want %d", len(arrived), people)
	}
	for who, n := range arrived {
		if n != 1 {
			t.Errorf("%s has %d messages", who, n)
		}
	}
}
