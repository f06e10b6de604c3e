//go:build unix

package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"bareed/client"
)

// What happens to everybody's campaigns at once, one after the other in one
// product: an operator holds all, Redis goes away and comes back empty, a pause
// outlives that, Meta's webhooks stay away, the API is killed, answers and receipts
// are lost and the clock goes on. In each case nobody is messaged twice, nobody is
// lost and nothing stays stuck.
func TestFaultsOfTheServers(t *testing.T) {
	t.Parallel()
	l := start(t, 1, 1)
	for _, fault := range []struct {
		name string
		of   func(*life)
	}{
		{"an operator holds everything", (*life).heldByAnOperator},
		{"Redis is down", (*life).withoutRedis},
		{"a pause outlives an empty Redis", (*life).pauseAndFlush},
		{"no webhooks come for a while", (*life).withoutWebhooks},
		{"the API is killed", (*life).withoutAPI},
		{"answers are lost without webhooks", (*life).withoutAnswers}, // moves the clock
		{"receipts come late or not at all", (*life).withoutReceipts}, // moves it a day
	} {
		t.Run(fault.name, func(t *testing.T) { fault.of(l.with(t)) })
	}
}

// running launches a campaign to n people and waits for the first messages.
func (l *life) running(name string, from, n, perMinute int) (campaign, run string) {
	l.t.Helper()
	campaign, eligible := l.campaign(name, l.audience(name, from, n), perMinute)
	run, err := l.launch(campaign, eligible)
	if err != nil {
		l.t.Fatal(err)
	}
	l.until("the first messages", func() bool { return l.summary().ByRun[run] > 10 })
	return campaign, run
}

// still waits until what was under way has left, and then sees nothing leave.
func (l *life) still(run string, d time.Duration) {
	l.t.Helper()
	l.during(time.Second, func() {})
	sent := l.summary().ByRun[run]
	l.during(d, func() {
		if now := l.summary().ByRun[run]; now != sent {
			l.t.Fatalf("%d messages left meanwhile", now-sent)
		}
	})
}

// Without the limiter nothing is sent; the API and Meta's door need PostgreSQL
// alone, and the API says that it is not whole.
func (l *life) withoutRedis() {
	const people = 200
	campaign, run := l.running("Without Redis", 0, people, 1800)
	l.redis.Stop()
	l.still(run, 2*time.Second)
	l.call("POST", "/v1/audiences", map[string]any{"name": "Made meanwhile"}, nil)
	l.control("/sandbox/inbound", map[string]any{"phone_number_id": l.tenant.Meta.Number, "from": phone(people - 1), "text": "STOP"}, nil)
	l.until("Meta's webhooks to be taken", func() bool { return l.summary().Webhooks.Pending == 0 })
	res, err := l.HTTP.Get(l.URL + "/readyz")
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(strings.ToLower(string(said)), "redis") {
		l.t.Errorf("the API says %d %s", res.StatusCode, said)
	}
	l.redis.Restart()
	if r := l.finish(campaign, run); r.Accepted != people-1 || r.Suppressed["opted_out"] != 1 {
		l.t.Errorf("of %d with one STOP: %+v", people, r)
	}
}

func (l *life) pauseAndFlush() {
	const people = 120
	campaign, run := l.running("Paused", 1000, people, 1800)
	l.call("POST", "/v1/campaigns/"+campaign+"/pause", nil, nil)
	l.redis.FlushAll()
	l.still(run, 1500*time.Millisecond)
	if r := l.report(campaign); !r.Paused || r.Ready == 0 {
		l.t.Errorf("after the flush: %+v", r)
	}
	l.call("POST", "/v1/campaigns/"+campaign+"/resume", nil, nil)
	if r := l.finish(campaign, run); r.Accepted != people {
		l.t.Errorf("of %d: %+v", people, r)
	}
}

func (l *life) withoutWebhooks() {
	const people = 120
	l.control("/sandbox/scenario", map[string]any{"outage": true}, nil)
	campaign, run := l.running("Without webhooks", 2000, people, 6000)
	l.until("every message to be accepted", func() bool { return l.report(campaign).Accepted == people })
	if r := l.report(campaign); r.Delivered != 0 || r.Unknown+r.Unconfirmed > 0 {
		l.t.Errorf("without any webhook: %+v", r)
	}
	l.control("/sandbox/scenario", map[string]any{"outage": false}, nil)
	if r := l.finish(campaign, run); r.Delivered != people {
		l.t.Errorf("of %d: %+v", people, r)
	}
}

// The API dies in the middle of an upload and of the webhooks: an upload without
// an answer leaves no half import, and no receipt is lost.
func (l *life) withoutAPI() {
	const people = 200
	var made struct{ ID string }
	l.call("POST", "/v1/audiences", map[string]any{"name": "Half"}, &made)
	campaign, run := l.running("Without the API", 3000, people, 3000)
	file, feed := io.Pipe()
	answered := make(chan error, 1)
	go func() {
		_, err := l.Client(l.tenant.Key).CreateImport(context.WithoutCancel(l.t.Context()), made.ID, client.Upload{File: file, Name: "people.csv"})
		answered <- err
	}()
	fmt.Fprint(feed, "phone,name\n"+strings.Repeat(phone(5000)+",Somebody\n", 20_000))
	l.killAndStart("api")
	_ = feed.CloseWithError(io.ErrClosedPipe)
	if err := <-answered; err == nil {
		l.t.Error("an upload that was cut off was answered with success")
	}
	for range 2 {
		l.during(300*time.Millisecond, func() {})
		l.killAndStart("api")
	}
	for i, err := range l.Client(l.tenant.Key).ListImports(l.t.Context(), made.ID) {
		l.t.Errorf("half an import is there: %v, %v", i.ID, err)
	}
	if r := l.finish(campaign, run); r.Accepted != people || r.Delivered != people {
		l.t.Errorf("of %d: %+v", people, r)
	}
}
