package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/campaigns"
	"bareed/campaigns/live"
	"bareed/internal/clock"
	"bareed/internal/fixture"
)

// streamRig is a rig with a launched campaign, a hub that reads every few
// milliseconds and for which time passes so many times as fast, and few places.
func streamRig(t *testing.T, speed int) (*rig, *live.Hub, string) {
	t.Helper()
	var hub *live.Hub
	start := clock.System()
	r := newRig(t, func(c *api.Config) {
		hub = live.New(live.Config{Pool: c.Pool, MaxWorkspace: 3,
			Clock: func() time.Time { return start.Add(time.Duration(speed) * clock.System().Sub(start)) },
			Tick: func(time.Duration) (<-chan time.Time, func()) {
				beat := time.NewTicker(5 * time.Millisecond)
				return beat.C, beat.Stop
			}})
		c.Live = hub
	})
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 2)
	return r, hub, "/v1/campaigns/" + b.Launch(t, "Streamed").CampaignID.String()
}

// open begins a stream and returns its lines.
func (r *rig) open(ctx context.Context, t *testing.T, path string, changes ...with) *bufio.Scanner {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Accept", "text/event-stream")
	for _, change := range changes {
		change(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("status %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return bufio.NewScanner(res.Body)
}

// until reads lines up to one with the prefix; false when the stream ends first.
func until(lines *bufio.Scanner, prefix string) bool {
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return true
		}
	}
	return false
}

// TestStreamPlaces: beyond the bound a stream is refused with a problem in both
// languages, and a place is free again when its reader is gone.
func TestStreamPlaces(t *testing.T) {
	t.Parallel()
	r, hub, path := streamRig(t, 1) // no stream's time is over meanwhile
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for range 3 {
		if !until(r.open(ctx, t, path), "event: figures") {
			t.Fatal("no figures")
		}
	}
	accept := header("Accept", "text/event-stream")
	a := r.call(t, "GET", path+"/events", nil, accept)
	if p := a.refused(t, 429, "live.workspace_full"); a.Header.Get("Retry-After") != "10" || !strings.Contains(p.Detail, "3") {
		t.Errorf("%s: %+v", a.Header.Get("Retry-After"), p)
	}
	if p := r.call(t, "GET", path+"/events", nil, accept, header("Accept-Language", "ar")).refused(t, 429, "live.workspace_full"); p.Lang != "ar" {
		t.Errorf("%+v", p)
	}
	r.call(t, "GET", path+"/events", nil).ok(t, 200) // what is asked every few seconds instead
	leave()
	deadline := time.After(time.Minute)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for viewers, feeds := hub.Count(); viewers+feeds > 0; viewers, feeds = hub.Count() {
		select {
		case <-deadline:
			t.Fatalf("%d viewers and %d feeds are left", viewers, feeds)
		case <-look.C:
		}
	}
}

// TestStreamOfOthers: another workspace's campaign is one that does not exist.
func TestStreamOfOthers(t *testing.T) {
	t.Parallel()
	r, _, path := streamRig(t, 1)
	stranger := fixture.Key(t, r.pool, fixture.Workspace(t, r.pool, r.vault), accounts.ScopeNames()...)
	r.call(t, "GET", path+"/events", nil, asKey(stranger), header("Accept", "text/event-stream")).refused(t, 404, "not_found")
	weak := fixture.Key(t, r.pool, r.tenant, "contacts:read")
	r.call(t, "GET", path+"/events", nil, asKey(weak), header("Accept", "text/event-stream")).refused(t, 403, "auth.scope")
	r.call(t, "GET", path+"/events", nil, header("Last-Event-ID", "-1"), header("Accept", "text/event-stream")).refused(t, 400, "page.cursor")
}

// TestStreamEndsWithItsKey: a revoked key's stream ends, and the next request
// says why; the stream shows that it is alive until then.
func TestStreamEndsWithItsKey(t *testing.T) {
	t.Parallel()
	r, _, path := streamRig(t, 20) // half a minute until a stream's time is over
	secret := fixture.Key(t, r.pool, r.tenant, "campaigns:read")
	who, err := accounts.FindKey(t.Context(), r.pool, secret)
	if err != nil {
		t.Fatal(err)
	}
	lines := r.open(t.Context(), t, path, asKey(secret))
	if !until(lines, "id: 1") || !until(lines, ": still here") {
		t.Fatal("no events, or no sign of life")
	}
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return accounts.RevokeKey(t.Context(), tx, r.tenant.Actor, who.Key)
	})
	for lines.Scan() {
		if lines.Text() == "event: figures" {
			t.Error("figures without reports:read")
		}
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
	r.call(t, "GET", path+"/events", nil, asKey(secret), header("Accept", "text/event-stream")).refused(t, 401, "auth.key_revoked")
}

// TestReportUnchanged: whoever asks again and again gets the figures once.
func TestReportUnchanged(t *testing.T) {
	t.Parallel()
	r, _, path := streamRig(t, 1)
	first := r.call(t, "GET", path+"/report", nil).ok(t, 200)
	tag := first.Header.Get("ETag")
	for _, known := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		a := r.call(t, "GET", path+"/report", nil, header("If-None-Match", known)).ok(t, 304)
		if len(a.Body) != 0 || a.Header.Get("ETag") != tag {
			t.Errorf("%s: %q, %s", known, a.Header.Get("ETag"), a.Body)
		}
	}
	r.call(t, "POST", path+"/pause", nil).ok(t, 200)
	var report campaigns.Report
	again := r.call(t, "GET", path+"/report", nil, header("If-None-Match", tag)).ok(t, 200)
	again.into(t, &report)
	if !report.Paused || again.Header.Get("ETag") == tag {
		t.Errorf("after the pause: %s %+v", again.Header.Get("ETag"), report)
	}
}
