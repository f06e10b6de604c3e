package api_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/api"
	"bareed/api/describe"
	"bareed/client"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// Every operation that is for programs is a method of the client, of its name.
func TestClientIsComplete(t *testing.T) {
	t.Parallel()
	methods := reflect.TypeFor[*client.Client]()
	for _, row := range api.TableRows() {
		name, ok := describe.Named(row.Route)
		if !ok || strings.HasSuffix(name, "Webhook") { // Meta's door
			continue
		}
		if _, ok := methods.MethodByName(strings.ToUpper(name[:1]) + name[1:]); !ok {
			t.Errorf("%s: the client has no method for %s", row.Route, name)
		}
	}
}

func (r *rig) client(t *testing.T, change func(*client.Config)) *client.Client {
	t.Helper()
	config := client.Config{URL: r.url, Key: r.key}
	if change != nil {
		change(&config)
	}
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must fails the test on an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestClientImports(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, c := t.Context(), r.client(t, nil)
	audience := must(c.CreateAudience(ctx, "عملاء", client.IdempotencyKey("one")))(t)
	if again := must(c.CreateAudience(ctx, "عملاء", client.IdempotencyKey("one")))(t); again.ID != audience.ID {
		t.Errorf("the same call made %s and %s", audience.ID, again.ID)
	}
	file := "phone,name,opt_in,opt_in_at\n+966501234567,سارة,yes,2026-01-05\n12,Nobody,yes,2026-01-05\n"
	settings := client.ImportSettings{Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"}, Method: "web_form", Source: "https://acme.example",
		Wording: &client.Wording{Version: "1", Text: "Acme may write to me on WhatsApp", BusinessName: "Acme"}}}
	up := must(c.CreateImport(ctx, audience.ID, client.Upload{File: strings.NewReader(file), Name: "people.csv", Settings: settings}))(t)
	imp, err := id.Parse[id.Import](up.Import.ID)
	if err != nil || up.Import.Job != up.Job.ID {
		t.Fatalf("%+v, %v", up, err)
	}
	if err := fixture.Importer(r.pool, r.vault).Run(ctx, r.tenant.Workspace, imp); err != nil {
		t.Fatal(err)
	}
	if j := must(c.WaitJob(ctx, up.Job.ID))(t); j.State != "completed" || j.Progress != 1 {
		t.Errorf("%+v", j)
	}
	if i := must(c.GetImport(ctx, up.Import.ID))(t); i.Rows != 2 || i.Created != 1 || i.Rejected != 1 || i.OptedIn != 1 {
		t.Errorf("%+v", i)
	}
	if x := must(client.Collect(c.ListRejects(ctx, up.Import.ID)))(t); len(x) != 1 || x[0].Row != 2 || x[0].Got == "" {
		t.Errorf("rejects %+v", x)
	}
	var csv bytes.Buffer
	if err := c.ExportRejects(ctx, up.Import.ID, &csv); err != nil || !strings.Contains(csv.String(), "12") {
		t.Errorf("%v %s", err, csv.String())
	}
	people := must(client.Collect(c.ListContacts(ctx, audience.ID)))(t)
	if len(people) != 1 || people[0].Name != "سارة" {
		t.Fatalf("%+v", people)
	}
	refused := must(c.OptOutContact(ctx, people[0].ID, client.OptOut{}))(t)
	if slices.ContainsFunc(refused.Permissions, func(p client.Permission) bool { return p.Granted }) {
		t.Errorf("%+v", refused)
	}
	if lines := must(client.Collect(c.ListConsents(ctx, people[0].ID)))(t); len(lines) < 2 || lines[0].Action != "opt_out" {
		t.Errorf("%+v", lines)
	}
}

func TestClientCampaigns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, c := t.Context(), r.client(t, nil)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 5)
	sixty := 60
	made := must(c.CreateCampaign(ctx, client.NewCampaign{Name: "Eid", NumberID: b.Number.String(), TemplateID: b.Template.String(), PerMinute: &sixty,
		AudienceIDs: []string{b.Audience.String()}, Variables: client.Variables{Body: []client.Value{{Attribute: "first_name"}}}}))(t)
	changed := must(c.UpdateCampaign(ctx, made.ID, made.ETag, client.CampaignChange{Clear: []string{"per_minute"}}))(t)
	if changed.PerMinute != 0 || changed.ETag == made.ETag {
		t.Errorf("%+v", changed)
	}
	_, err := c.UpdateCampaign(ctx, made.ID, made.ETag, client.CampaignChange{PerMinute: &sixty})
	if !client.IsCode(err, "version.stale") {
		t.Errorf("a stale change: %v", err)
	}
	_, err = c.LaunchCampaign(ctx, made.ID, client.Launch{ExpectedRecipients: 5})
	if !client.IsCode(err, "campaign.check_missing") {
		t.Errorf("without a check: %v", err)
	}
	launched := b.Launch(t, "Launched")
	campaign := launched.CampaignID.String()
	n := 0
	if t2, err := c.GetCampaignTemplate(ctx, campaign); err != nil || len(t2.Differences) != 0 || t2.Approved.Content == "" {
		t.Errorf("template %+v: %v", t2, err)
	}
	for change, err := range c.ListChanges(ctx, client.ChangesOf{}) {
		if err != nil || change.What == "" {
			t.Errorf("change %+v: %v", change, err)
		}
	}
	for f, err := range c.ListFirings(ctx, campaign) {
		if err != nil || f.RunID == "" || f.State != "planning" && f.State != "running" && f.State != "finishing" {
			t.Errorf("firing %+v, %v", f, err)
		}
	}
	for m, err := range c.ListRecipients(ctx, campaign, client.RecipientFilter{PageSize: 2}) {
		if n++; err != nil || m.State != "ready" || !strings.HasSuffix(m.MessageID, fmt.Sprint("_", n)) {
			t.Errorf("%+v, %v", m, err)
		}
	}
	if n != 5 {
		t.Errorf("%d recipients", n)
	}
	seen := 0
	for u, err := range c.FollowEvents(ctx, campaign, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if u.Event != nil {
			if seen++; u.Event.Sequence != int64(seen) {
				t.Errorf("event %d, want %d", u.Event.Sequence, seen)
			}
		} else if u.Figures.CampaignID != campaign {
			t.Errorf("%+v", u.Figures)
		}
		if seen > 0 && u.Event != nil && u.Event.Type == "campaign.paused" {
			break
		}
		if u.Figures != nil {
			must(c.PauseCampaign(ctx, campaign))(t)
		}
	}
	if paused := must(c.GetCampaign(ctx, campaign))(t); !paused.Paused || len(paused.Stops) != 1 {
		t.Errorf("%+v", paused)
	}
	events := must(client.Collect(c.ListEvents(ctx, campaign, int64(seen-1))))(t)
	if len(events) != 1 || events[0].Sequence != int64(seen) {
		t.Errorf("events behind %d: %+v", seen-1, events)
	}
}

func TestClientAccounts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Owner)
	_, _, err := r.client(t, func(c *client.Config) { c.Key, c.Language = "", "ar" }).CreateSession(ctx, email, "wrong", "")
	if !client.IsCode(err, "auth.sign_in_failed") || !strings.Contains(err.Error(), "كلمة") {
		t.Errorf("a wrong password: %v", err)
	}
	person, self, err := r.client(t, nil).CreateSession(ctx, email, fixture.Password, "")
	if err != nil || self.Email != email || self.Kind != "user" || person.Session() == "" {
		t.Fatalf("%+v, %v", self, err)
	}
	w := must(person.GetWorkspace(ctx))(t)
	seven := 7
	now := must(person.UpdateWorkspace(ctx, w.ETag, client.WorkspaceChange{UndoSeconds: &seven}))(t)
	if now.UndoSeconds != 7 || now.ETag == w.ETag {
		t.Errorf("%+v", now)
	}
	if _, err := person.UpdateWorkspace(ctx, w.ETag, client.WorkspaceChange{}); !client.IsCode(err, "version.stale") {
		t.Errorf("stale: %v", err)
	}
	key := must(person.CreateApiKey(ctx, client.NewAPIKey{Name: "shop", Scopes: []string{"campaigns:read"}}))(t)
	shop := r.client(t, func(c *client.Config) { c.Key = key.Secret })
	if me := must(shop.GetSelf(ctx))(t); me.ID != key.ID {
		t.Errorf("%+v", me)
	}
	if _, err := shop.CreateAudience(ctx, "x"); !client.IsCode(err, "auth.scope") {
		t.Errorf("without the scope: %v", err)
	}
	if err := person.RevokeApiKey(ctx, key.ID); err != nil {
		t.Error(err)
	}
	if _, err := shop.GetSelf(ctx); !client.IsCode(err, "auth.key_revoked") {
		t.Errorf("a revoked key: %v", err)
	}
	if err := person.DeleteSession(ctx); err != nil {
		t.Error(err)
	}
	if _, err := person.GetSelf(ctx); !client.IsCode(err, "auth.session") {
		t.Errorf("after signing out: %v", err)
	}
}
