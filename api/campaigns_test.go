package api_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// campaignBody defines a campaign in a new broadcast of the tenant.
func campaignBody(t testing.TB, r *rig, tenant fixture.Tenant) map[string]any {
	t.Helper()
	b := fixture.BroadcastOf(t, r.pool, r.vault, tenant)
	return map[string]any{"name": "Campaign " + fixture.RandomID(t, "campaign"), "number_id": b.Number, "template_id": b.Template,
		"audience_ids": []id.Audience{b.Audience}, "variables": map[string]any{"body": []map[string]string{{"attribute": "first_name"}}}}
}

// checkedCampaign makes the tenant's newest campaign ready for its launch.
func checkedCampaign(t testing.TB, r *rig, tenant fixture.Tenant) func() any {
	return func() any {
		t.Helper()
		fixture.Newest(t, r.pool, r.vault, tenant, false)
		return map[string]any{"expected_recipients": 1}
	}
}

// launchedCampaign launches the tenant's newest campaign; the call has no body.
func launchedCampaign(t testing.TB, r *rig, tenant fixture.Tenant) func() any {
	return func() any {
		t.Helper()
		fixture.Newest(t, r.pool, r.vault, tenant, true)
		return nil
	}
}

func TestCampaignFromDraftToReport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 3)
	body := map[string]any{"name": "Eid", "number_id": b.Number, "template_id": b.Template, "audience_ids": []id.Audience{b.Audience},
		"variables": map[string]any{"body": []map[string]string{{"attribute": "first_name"}}}}
	var c campaigns.Campaign
	made := r.call(t, "POST", "/v1/campaigns", body).ok(t, 201)
	made.into(t, &c)
	path := "/v1/campaigns/" + c.ID.String()
	if made.Header.Get("ETag") != `"1"` || made.Header.Get("Location") != path || c.State != campaigns.Draft {
		t.Errorf("made %+v, %v", c, made.Header)
	}
	r.call(t, "POST", "/v1/campaigns", body).refused(t, 409, "campaign.name_taken")
	r.call(t, "PATCH", path, map[string]any{"per_minute": 60}).refused(t, 428, "version.required")
	r.call(t, "PATCH", path, map[string]any{"per_minute": 60}, header("If-Match", `"7"`)).refused(t, 412, "version.stale")
	r.call(t, "PATCH", path, map[string]any{"per_minute": 60}, header("If-Match", `"1"`)).ok(t, 200).into(t, &c)
	if c.PerMinute != 60 {
		t.Errorf("per_minute %d", c.PerMinute)
	}
	c = campaigns.Campaign{}
	r.call(t, "PATCH", path, map[string]any{"per_minute": nil}, header("If-Match", `"2"`)).ok(t, 200).into(t, &c)
	if c.PerMinute != 0 || c.Version != 3 {
		t.Errorf("cleared: %+v", c)
	}
	r.call(t, "PATCH", path, map[string]any{"state": "running", "version": 3}).refused(t, 422, "json.unknown_field")
	r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 3}, header("Idempotency-Key", "a")).refused(t, 409, "campaign.check_missing")
	asked := r.call(t, "POST", path+"/check", nil).ok(t, 202)
	var job struct {
		JobID   id.Job   `json:"job_id"`
		CheckID id.Check `json:"check_id"`
	}
	asked.into(t, &job)
	if asked.Header.Get("Location") != "/v1/jobs/"+job.JobID.String() {
		t.Errorf("location %q", asked.Header.Get("Location"))
	}
	k := b.Check(t, c.ID)
	if k.ID != job.CheckID {
		t.Errorf("check %s, asked for %s", k.ID, job.CheckID)
	}
	var report check.Check
	r.call(t, "GET", path+"/checks/"+k.ID.String(), nil).ok(t, 200).into(t, &report)
	if report.Eligible != 3 || report.State != "completed" {
		t.Errorf("check %+v", report)
	}
	r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 4}, header("Idempotency-Key", "b")).refused(t, 409, "campaign.recipients_changed")
	var l, again campaigns.Launched
	r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 3}, header("Idempotency-Key", "c")).ok(t, 202).into(t, &l)
	r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 3}, header("Idempotency-Key", "d")).ok(t, 202).into(t, &again)
	if l.RunID != again.RunID || l.RunID.IsZero() {
		t.Errorf("runs %s and %s", l.RunID, again.RunID)
	}
	for range 2 {
		r.call(t, "POST", path+"/pause", nil).ok(t, 200).into(t, &c)
		if !c.Paused {
			t.Error("not paused")
		}
	}
	r.call(t, "POST", path+"/resume", map[string]any{"clear_holds": false}).ok(t, 200)
	r.call(t, "GET", path+"/report", nil).ok(t, 200)
	r.call(t, "POST", path+"/stop", nil).ok(t, 200)
	p := r.call(t, "POST", path+"/launch", map[string]any{"expected_recipients": 3}, header("Idempotency-Key", "e")).refused(t, 409, "campaign.state")
	if !strings.Contains(p.Detail, "stopped") {
		t.Errorf("detail %q", p.Detail)
	}
}

func TestCheckRowsAreMaskedForWhoMayNotSeeThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	people := b.AddPeople(t, b.Audience, 2)
	b.Do(t, `update contact set name = '=cmd()' where workspace_id = $1 and id = $2`, b.Workspace, people[0])
	c := b.Campaign(t, "Rows")
	path := "/v1/campaigns/" + c.ID.String() + "/checks/" + b.Check(t, c.ID).ID.String() + "/rows.csv"
	whole := string(r.call(t, "GET", path, nil).ok(t, 200).Body)
	masked := string(r.call(t, "GET", path, nil, asKey(fixture.Key(t, r.pool, r.tenant, "campaigns:read"))).ok(t, 200).Body)
	if !strings.Contains(whole, "+966500000000") || strings.Contains(masked, "+966500000000") || !strings.Contains(masked, "•") {
		t.Errorf("whole:\n%s\nmasked:\n%s", whole, masked)
	}
	if !strings.Contains(whole, ",'=cmd(),") || strings.Count(whole, "\n") != 3 {
		t.Errorf("rows:\n%s", whole)
	}
	if only := string(r.call(t, "GET", path+"?reason=opted_out", nil).ok(t, 200).Body); strings.Count(only, "\n") != 1 {
		t.Errorf("opted out:\n%s", only)
	}
}

func TestEventsAsPageAndAsStream(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 1)
	l := b.Launch(t, "Streamed")
	path := "/v1/campaigns/" + l.CampaignID.String() + "/events"
	var page struct {
		Data []campaigns.Event `json:"data"`
	}
	r.call(t, "GET", path+"?after=2", nil).ok(t, 200).into(t, &page)
	if len(page.Data) == 0 || page.Data[0].Sequence != 3 {
		t.Fatalf("page %+v", page)
	}
	r.call(t, "GET", path+"?after=x", nil).refused(t, 400, "page.cursor")
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", "3")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("content type %q", res.Header.Get("Content-Type"))
	}
	var first, figures, paused bool
	for lines := bufio.NewScanner(res.Body); lines.Scan() && !paused; {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "id: "):
			if !first && line != "id: 4" {
				t.Fatalf("the stream begins with %q", line)
			}
			first = true
		case line == "event: figures":
			if !figures {
				r.call(t, "POST", "/v1/campaigns/"+l.CampaignID.String()+"/pause", nil).ok(t, 200)
			}
			figures = true
		case line == "event: campaign.paused":
			paused = true
		}
	}
	if !first || !figures || !paused {
		t.Errorf("first %v, figures %v, paused %v", first, figures, paused)
	}
}

func TestRecipientsByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 3)
	l := b.Launch(t, "Listed")
	path := "/v1/campaigns/" + l.CampaignID.String() + "/recipients"
	var page struct {
		Data       []campaigns.Recipient `json:"data"`
		NextCursor string                `json:"next_cursor"`
	}
	r.call(t, "GET", path+"?limit=2&state=ready", nil).ok(t, 200).into(t, &page)
	if len(page.Data) != 2 || page.NextCursor == "" {
		t.Fatalf("page %+v", page)
	}
	cursor := page.NextCursor
	page.Data, page.NextCursor = nil, ""
	r.call(t, "GET", path+"?limit=2&state=ready&cursor="+cursor, nil).ok(t, 200).into(t, &page)
	if len(page.Data) != 1 || page.Data[0].MessageID.Ordinal != 3 || page.NextCursor != "" {
		t.Errorf("second page %+v", page)
	}
	r.call(t, "GET", path+"?state=flying", nil).refused(t, 400, "message.state_unknown")
	var m campaigns.Timeline
	viewer := fixture.Key(t, r.pool, r.tenant, "reports:read")
	r.call(t, "GET", "/v1/messages/"+page.Data[0].MessageID.String(), nil, asKey(viewer)).ok(t, 200).into(t, &m)
	if !strings.Contains(m.Address, "•") || m.State != "ready" {
		t.Errorf("message %+v", m)
	}
}
