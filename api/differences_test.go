package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"bareed/api"
	"bareed/internal/fixture"
)

// The check beside the run, by API and by the client: figures that add up, codes
// in the caller's language, and phones for who may see them.
func TestDifferencesByAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	people := b.AddPeople(t, b.Audience, 4)
	b.Do(t, `update contact set name = '=cmd()' where workspace_id = $1 and id = $2`, b.Workspace, people[0])
	draft := "/v1/campaigns/" + b.Campaign(t, "Draft").ID.String() + "/differences"
	r.call(t, "GET", draft, nil).refused(t, 409, "campaign.not_launched")
	r.call(t, "GET", draft+"/rows.csv", nil).refused(t, 409, "campaign.not_launched")
	l := b.Launch(t, "Sent")
	b.Do(t, `update message set state = 'delivered' where run_id = $1`, l.RunID)
	b.Do(t, `update message set state = 'failed', reason = 'meta_131026' where run_id = $1 and contact_id = $2`, l.RunID, people[0])
	b.Do(t, `update message set state = 'suppressed', reason = 'opted_out' where run_id = $1 and contact_id = $2`, l.RunID, people[1])
	campaign := l.CampaignID.String()
	path := "/v1/campaigns/" + campaign + "/differences"
	got := must(r.client(t, nil).GetDifferences(t.Context(), campaign))(t)
	if got.CheckEligible != 4 || got.NotReached != 2 || got.RunAccepted != 2 || got.AsChecked != 2 || got.Different != 2 || got.People != 4 || len(got.Differences) != 2 {
		t.Errorf("%+v", got)
	}
	if d := got.Differences[0]; d.InRun != "meta_131026" || d.MetaError == nil || !strings.Contains(d.MetaError.Cause, "WhatsApp") {
		t.Errorf("%+v", d)
	}
	if a := r.call(t, "GET", path, nil, header("Accept-Language", "ar")).ok(t, 200); !bytes.Contains(a.Body, []byte("واتساب")) {
		t.Errorf("in Arabic: %s", a.Body)
	}
	r.call(t, "GET", path+"?run="+l.RunID.String(), nil).ok(t, 200)
	for _, run := range []string{fixture.RandomID(t, "run"), "mine"} {
		r.call(t, "GET", path+"?run="+run, nil).refused(t, 404, "not_found")
		r.call(t, "GET", path+"/rows.csv?run="+run, nil).refused(t, 404, "not_found")
	}
	whole := string(r.call(t, "GET", path+"/rows.csv", nil).ok(t, 200).Body)
	masked := string(r.call(t, "GET", path+"/rows.csv", nil, asKey(fixture.Key(t, r.pool, r.tenant, "reports:read"))).ok(t, 200).Body)
	if !strings.Contains(whole, ",'=cmd(),+966500000000,eligible,meta_131026,131026\n") || strings.Contains(masked, "+966500000000") || !strings.Contains(masked, "•") {
		t.Errorf("whole:\n%s\nmasked:\n%s", whole, masked)
	}
	var file bytes.Buffer
	if err := r.client(t, nil).ExportDifferences(t.Context(), campaign, "eligible", "opted_out", &file); err != nil || strings.Count(file.String(), "\n") != 2 {
		t.Errorf("%v:\n%s", err, file.String())
	}
}

// Every group of operations says what it is about.
func TestEveryTagIsDescribed(t *testing.T) {
	t.Parallel()
	text, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tags []struct{ Name, Description string }
	}
	if err := json.Unmarshal(text, &doc); err != nil || len(doc.Tags) < 10 {
		t.Fatalf("%d tags, %v", len(doc.Tags), err)
	}
	for _, tag := range doc.Tags {
		if tag.Description == "" {
			t.Errorf("the tag %s has no description", tag.Name)
		}
	}
}
