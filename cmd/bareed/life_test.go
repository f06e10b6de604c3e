//go:build unix

package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bareed/client"
	"bareed/internal/pg/pgtest"
	"bareed/internal/redistest"
	"bareed/internal/rig"
	"bareed/sandbox"
)

// place is where the product's binary lies while these tests run.
func place() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("bareed-life-%d", os.Getpid()))
}

// built is the product's binary, made once, for the first test that needs it.
var built = sync.OnceValues(func() (string, error) {
	if err := os.RemoveAll(place()); err != nil { // of a process that had this number before
		return "", err
	}
	if err := os.Mkdir(place(), 0o700); err != nil {
		return "", err
	}
	return rig.Build(context.Background(), place(), os.Stderr)
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(place())
	os.Exit(code)
}

// life is the whole product running as real processes, with one tenant.
type life struct {
	*rig.Rig
	t      *testing.T
	tenant *rig.Tenant
	redis  *redistest.Server
	policy string // of campaigns for messages without an answer; empty: the workspace's
	shared bool   // others send through the same processes meanwhile
}

// start runs a product for one tenant.
func start(t *testing.T, workers, schedulers int) *life {
	t.Helper()
	l := run(t, workers, schedulers)
	l.settle(rig.MetaOf(1, 1000, "TIER_100K"))
	return l
}

// run runs a product without a tenant.
func run(t *testing.T, workers, schedulers int, env ...string) *life {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	rd := redistest.Start(t)
	r, err := rig.Start(context.WithoutCancel(t.Context()), rig.Config{Binary: bin, DatabaseURL: pgtest.Empty(t, true), RedisURL: rd.URL(),
		Dir: t.TempDir(), Workers: workers, Schedulers: schedulers, Slots: 32, Env: env, Log: &testLog{t: t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return &life{Rig: r, t: t, redis: rd}
}

// settle makes the tenant that these numbers of Meta's are.
func (l *life) settle(m rig.Meta) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer cancel()
	tenant, err := l.MakeTenant(ctx, "Acme "+m.Number, m)
	if err != nil {
		l.t.Fatal(err)
	}
	l.tenant = tenant
}

// testLog shows what the processes complain about, while the test runs.
type testLog struct{ t *testing.T }

func (l *testLog) Write(b []byte) (int, error) {
	if l.t.Context().Err() == nil && !bytes.Contains(b, []byte("append-only file")) && !bytes.Contains(b, []byte("from=asynq")) {
		l.t.Logf("%s", bytes.TrimSpace(b))
	}
	return len(b), nil
}

func (l *life) call(method, path string, in, out any) {
	l.t.Helper()
	if err := l.Call(l.t.Context(), l.tenant.Key, method, path, in, out); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) control(path string, in, out any) {
	l.t.Helper()
	if err := l.Control(l.t.Context(), path, in, out); err != nil {
		l.t.Fatal(err)
	}
}

// until waits for an event, two minutes at most.
func (l *life) until(what string, ask func() bool) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer cancel()
	if err := rig.Until(ctx, 150*time.Millisecond, func() (bool, error) { return ask(), nil }); err != nil {
		l.t.Fatalf("waited two minutes for %s", what)
	}
}

func phone(i int) string { return fmt.Sprintf("+9665%08d", 10000000+i) }

// audience imports n people who opted in, from the given number on.
func (l *life) audience(name string, from, n int) string {
	l.t.Helper()
	var made struct{ ID string }
	l.call("POST", "/v1/audiences", map[string]any{"name": name}, &made)
	var csv strings.Builder
	csv.WriteString("phone,name,city,opt_in,opt_in_at\n")
	for i := range n {
		fmt.Fprintf(&csv, "%s,Person %d,Riyadh,yes,2026-01-02\n", phone(from+i), i)
	}
	started, err := l.Client(l.tenant.Key).CreateImport(l.t.Context(), made.ID, client.Upload{File: strings.NewReader(csv.String()), Name: "people.csv",
		Settings: client.ImportSettings{Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"}, Method: "web_form",
			Source: "https://acme.example", Wording: &client.Wording{Version: "1", Text: "Acme may write to me on WhatsApp", BusinessName: "Acme"}}}})
	if err != nil {
		l.t.Fatal(err)
	}
	l.job(started.Job.ID)
	return made.ID
}

func (l *life) job(id string) {
	l.t.Helper()
	l.until("job "+id, func() bool {
		var j struct {
			State   string
			Problem any
		}
		l.call("GET", "/v1/jobs/"+id, nil, &j)
		if j.State == "failed" {
			l.t.Fatalf("job %s failed: %v", id, j.Problem)
		}
		return j.State == "completed"
	})
}

// campaign defines and checks a campaign; perMinute 0 is as fast as may be.
func (l *life) campaign(name, audience string, perMinute int) (campaign string, eligible int) {
	l.t.Helper()
	template, err := l.Template(l.t.Context(), l.tenant, "offer", "en")
	if err != nil {
		l.t.Fatal(err)
	}
	def := map[string]any{
		"name": name, "number_id": l.tenant.Number, "template_id": template, "audience_ids": []string{audience},
		"variables": map[string]any{"body": []map[string]string{{"attribute": "name"}, {"attribute": "city"}}},
	}
	if perMinute > 0 {
		def["per_minute"] = perMinute
	}
	if l.policy != "" {
		def["unknown_policy"] = l.policy
	}
	var made struct{ ID string }
	l.call("POST", "/v1/campaigns", def, &made)
	var check struct {
		CheckID  string `json:"check_id"`
		JobID    string `json:"job_id"`
		Eligible int
	}
	l.call("POST", "/v1/campaigns/"+made.ID+"/check", nil, &check)
	l.job(check.JobID)
	l.call("GET", "/v1/campaigns/"+made.ID+"/checks/"+check.CheckID, nil, &check)
	return made.ID, check.Eligible
}

func (l *life) launch(campaign string, eligible int) (run string, err error) {
	var out struct {
		RunID string `json:"run_id"`
	}
	err = l.Call(l.t.Context(), l.tenant.Key, "POST", "/v1/campaigns/"+campaign+"/launch",
		map[string]any{"expected_recipients": eligible}, &out)
	return strings.TrimPrefix(out.RunID, "run_"), err
}

type report struct {
	State, RunState                                           string
	Paused, Holding, Balanced, Planned                        bool
	Total, Ready, Sending, Held, Accepted, Delivered, Unknown int
	Unconfirmed                                               int
	Suppressed, Failed                                        map[string]int
	SuppressedTotal                                           int `json:"suppressed_total"`
	FailedTotal                                               int `json:"failed_total"`
	Stops                                                     []struct{ Scope, Reason, Measured string }
}

func (r report) balanced() bool {
	return r.Total == r.SuppressedTotal+r.Ready+r.Sending+r.Held+r.Accepted+r.FailedTotal+r.Unknown+r.Unconfirmed
}

func (l *life) report(campaign string) report {
	l.t.Helper()
	var r report
	l.call("GET", "/v1/campaigns/"+campaign+"/report", nil, &r)
	if !r.balanced() {
		l.t.Errorf("the identity does not hold: %+v", r)
	}
	return r
}

// finish follows a campaign until nothing of it is under way, looking at the
// identity in every sample, and compares what it came to with the journal:
// nobody twice, nobody but those accounted for. A campaign with unknown
// messages waits a day for their receipts before it counts as completed. Who
// shares the product has its own receipts awaited here, all of them at the end.
func (l *life) finish(campaign, run string) report {
	l.t.Helper()
	var r report
	l.until("the campaign to complete", func() bool {
		r = l.report(campaign)
		return r.State == "completed" || r.State == "stopped" || r.State == "finishing" && r.Unknown > 0
	})
	l.until("every receipt", func() bool {
		r = l.report(campaign)
		s := l.summary()
		return (l.shared || s.Webhooks.Pending == 0) && int64(r.Accepted+r.FailedTotal) >= s.ByRun[run] && r.Delivered+r.FailedTotal >= r.Accepted
	})
	s := l.summary()
	if !l.shared && s.DuplicateOrdinals+s.DuplicateRecipients > 0 {
		l.t.Errorf("somebody was messaged twice: %+v", s.Duplicates)
	}
	for who, n := range l.arrived(run) {
		if n != 1 {
			l.t.Errorf("%s has %d messages", who, n)
		}
	}
	if int64(r.Accepted+r.FailedTotal) != s.ByRun[run] {
		l.t.Errorf("the report accounts for %d accepted and %d failed, the journal for %d", r.Accepted, r.FailedTotal, s.ByRun[run])
	}
	if r.Ready+r.Sending+r.Held > 0 {
		l.t.Errorf("something is stuck: %+v", r)
	}
	return r
}

func (l *life) summary() (s sandbox.Summary) {
	l.t.Helper()
	l.control("/sandbox/journal/summary", nil, &s)
	return s
}
