package web_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/web"
)

// desk is a rig whose workspace can send a campaign.
type desk struct {
	*rig
	*fixture.Broadcast
	counted *counter
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db := pgtest.Open(t)
	d := &desk{counted: &counter{}}
	pool, err := pg.Open(t.Context(), pg.Config{URL: db.URL, MaxConns: 8, Tracer: d.counted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	d.rig = &rig{pool: pool, vault: fixture.Vault(t, pool), hasher: fixture.Hasher(t)}
	s, err := web.New(web.Config{UI: pages(t), Pool: pool, Vault: d.vault, Hasher: d.hasher})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	d.url = srv.URL
	d.tenant = fixture.Workspace(t, pool, d.vault)
	d.Broadcast = fixture.BroadcastOf(t, pool, d.vault, d.tenant)
	return d
}

// campaign reads the draft as it stands.
func (d *desk) campaign(t *testing.T, c id.Campaign) campaigns.Campaign {
	t.Helper()
	var out campaigns.Campaign
	d.In(t, func(tx pgx.Tx) (err error) {
		out, err = campaigns.Get(t.Context(), tx, d.Workspace, c)
		return err
	})
	return out
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// hiddenOf are the hidden fields of the page's own form, to be posted with more.
func (p page) hiddenOf(more ...string) url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.Body[strings.Index(p.Body, "<main"):], -1) {
		v.Set(m[1], m[2])
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Add(more[i], more[i+1])
	}
	return v
}

func draftOf(t *testing.T, p page) (id.Campaign, string) {
	t.Helper()
	parts := strings.Split(p.Header.Get("Location"), "/")
	if p.Status != 303 || len(parts) != 5 {
		t.Fatalf("%d to %q: %s", p.Status, p.Header.Get("Location"), p.Body)
	}
	c, err := id.Parse[id.Campaign](parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return c, "/campaigns/" + parts[2]
}

// From nothing to a launched campaign, in every step with what is wrong first.
func TestTheWizardFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 3)
	b := d.as(t, accounts.Marketer)
	b.get("/campaigns/new").has(t, 200, `aria-current="step"`, "+966500000000", d.Template.String())
	b.post("/campaigns/new", "go", "next").has(t, 422, "Give the campaign a name.", `href="#name"`, `href="#template"`)
	b.post("/campaigns/new", "go", "look", "name", "Ramadan", "template", d.Template.String()).has(t, 200, `value="Ramadan"`, "Hello")
	form := []string{"name", "Ramadan", "number", d.Number.String(), "template", d.Template.String(), "go", "next"}
	c, base := draftOf(t, b.post("/campaigns/new", form...))
	b.post("/campaigns/new", form...).to(t, base+"/edit/message?fill=1#variables") // pressed twice
	b.get(base+"/edit/message?fill=1").has(t, 200, "1 variable to fill: 1", "Choose what fills variable 1")

	step := base + "/edit/message"
	p := b.get(step).has(t, 200, `name="from.body.1"`, "first_name")
	b.do("POST", step, p.hiddenOf(form...)).has(t, 422, "Choose what fills variable 1", `href="#from.body.1"`, `aria-invalid="true"`)
	p = b.get(step)
	b.do("POST", step, p.hiddenOf(append(form, "from.body.1", "of:first_name", "value.body.1", "friend")...)).to(t, base+"/edit/audience")

	step = base + "/edit/audience"
	p = b.get(step).has(t, 200, "3 people")
	p = b.do("POST", step, p.hiddenOf("go", "next")).has(t, 422, "No audience is chosen yet.")
	b.get(base+"/edit").to(t, base+"/edit/audience")
	b.get(base+"/edit/check").has(t, 200, "No audience is chosen yet.", "disabled", "/edit/audience#audience")
	b.get(base+"/edit/confirm").has(t, 200, "No audience is chosen yet.", "disabled")
	b.do("POST", step, p.hiddenOf("go", "stay", "audience", d.Audience.String())).to(t, step)
	p = b.get(step).has(t, 200, "checked", "Draft saved.")
	b.do("POST", step, p.hiddenOf("go", "next", "audience", d.Audience.String())).to(t, base+"/edit/delivery")
	b.get(base+"/edit/message").has(t, 200, "As Person", "Hello Name")

	step = base + "/edit/delivery"
	p = b.get(step).has(t, 200, "UTC")
	b.do("POST", step, p.hiddenOf("go", "next", "when", "at", "speed", "own", "per_minute", "many")).has(t, 422, `href="#send_at"`, `href="#per_minute"`)
	b.do("POST", step, p.hiddenOf("go", "next", "when", "at", "send_at", "2020-01-01T10:00", "speed", "full")).has(t, 422, "is past", `value="2020-01-01T10:00"`)
	b.do("POST", step, p.hiddenOf("go", "stay", "when", "now", "speed", "within", "finish_within_minutes", "240")).to(t, step)
	if got := d.campaign(t, c); got.FinishWithin != 240 || got.PerMinute != 0 {
		t.Fatalf("spread over a time: %+v", got)
	}
	p = b.get(step).has(t, 200, "Spread over a time", `<option value="240" selected`)
	b.do("POST", step, p.hiddenOf("go", "stay", "when", "now", "speed", "within", "finish_within_minutes", "soon")).has(t, 422, `href="#finish_within_minutes"`)
	b.do("POST", step, p.hiddenOf("go", "next", "when", "now", "speed", "own", "per_minute", "٦٠")).to(t, base+"/edit/check")
	if got := d.campaign(t, c); got.PerMinute != 60 || got.FinishWithin != 0 || got.State != campaigns.Checking {
		t.Fatalf("%+v", got)
	}
	b.get(base+"/edit/check").has(t, 200, "Checking everybody", "data-live")
	k := d.Check(t, c)
	b.get(base+"/edit/check").has(t, 200, "Would get it", "/edit/check", k.ID.String())
	b.get(base+"/edit").to(t, base+"/edit/confirm")
	b.post(base+"/edit/delivery", "version", fmt.Sprint(d.campaign(t, c).Version), "go", "next", "when", "now", "speed", "own", "per_minute", "60").to(t, base+"/edit/check")
	if got := d.campaign(t, c); got.State != campaigns.Draft {
		t.Errorf("going through a step without a change began another check: %s", got.State)
	}

	step = base + "/edit/confirm"
	p = b.get(step).has(t, 200, "Send to 3 people")
	b.do("POST", step, p.hiddenOf()).to(t, base)
	b.do("POST", step, p.hiddenOf()).to(t, base)
	var runs int
	d.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from run where workspace_id = $1`, d.Workspace).Scan(&runs)
	})
	if runs != 1 {
		t.Errorf("%d runs", runs)
	}
	for _, s := range []string{"message", "confirm"} {
		examine(t, s, "en", b.get(base+"/edit/"+s).has(t, 200, "This campaign is launched", base))
	}
}

// What two people do to one draft is told, and nothing typed is lost.
func TestADraftThatSomebodyElseChanged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.as(t, accounts.Marketer)
	c := d.Campaign(t, "Mine")
	step := "/campaigns/" + c.ID.String() + "/edit/message"
	form := func(name string) []string {
		return []string{"name", name, "number", d.Number.String(), "template", d.Template.String(), "from.body.1", "of:first_name", "value.body.1", "you", "go", "next"}
	}
	first, second := b.get(step), b.get(step)
	b.do("POST", step, first.hiddenOf(form("Theirs")...)).to(t, strings.TrimSuffix(step, "message")+"audience")
	p := b.do("POST", step, second.hiddenOf(form("Ours")...)).has(t, 412, `value="Ours"`, "changed while you were editing")
	examine(t, step, "en", p)
	if got := d.campaign(t, c.ID).Name; got != "Theirs" {
		t.Fatalf("the draft is called %s", got)
	}
	b.do("POST", step, p.hiddenOf(form("Ours")...)).to(t, strings.TrimSuffix(step, "message")+"audience")
	if got := d.campaign(t, c.ID).Name; got != "Ours" {
		t.Errorf("the draft is called %s", got)
	}
}

// The number on the button is the one that is sent to, or nothing is.
func TestTheNumberThatIsConfirmed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 1001)
	b := d.as(t, accounts.Owner)
	c := d.Campaign(t, "Many")
	d.Check(t, c.ID)
	base := "/campaigns/" + c.ID.String()
	step := base + "/edit/confirm"
	p := b.get(step).has(t, 200, "Send to 1,001 people", `name="count"`)
	b.do("POST", step, p.hiddenOf("count", "1000")).has(t, 422, "This is not the number of people", `value="1000"`)
	d.AddPeople(t, d.Audience, 1)
	b.do("POST", step, p.hiddenOf("count", "1001")).has(t, 409, "Check the campaign again")
	d.Check(t, c.ID)
	q := b.do("POST", step, p.hiddenOf("count", "1001")).has(t, 422, "it goes to 1,002 people now", "Send to 1,002 people")
	b.do("POST", step, q.hiddenOf("count", "1,002", "undo", "60")).to(t, base)
	if got := d.campaign(t, c.ID); got.State != campaigns.Starting {
		t.Errorf("%s", got.State)
	}
}

func TestTheRowsOfACheck(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	people := d.AddPeople(t, d.Audience, 3)
	d.Do(t, `update permission set granted = false where workspace_id = $1 and contact_id = $2`, d.Workspace, people[0])
	d.Do(t, `update contact set name = '=cmd()' where workspace_id = $1 and id = $2`, d.Workspace, people[1])
	c := d.Campaign(t, "Rows")
	k := d.Check(t, c.ID)
	path := "/campaigns/" + c.ID.String() + "/checks/" + k.ID.String() + "/rows.csv"
	b := d.as(t, accounts.Marketer)
	p := b.get(path).has(t, 200, people[0].String(), "opted_out", "+9665", "'=cmd()")
	if strings.Count(p.Body, "\n") != 4 || !strings.Contains(p.Header.Get("Content-Disposition"), ".csv") {
		t.Errorf("%v %s", p.Header, p.Body)
	}
	if p := b.get(path+"?reason=opted_out").has(t, 200, people[0].String()); strings.Count(p.Body, "\n") != 2 {
		t.Errorf("%s", p.Body)
	}
	if p := d.as(t, accounts.Viewer).get(path).has(t, 200, "•"); strings.Contains(p.Body, "966500000000") {
		t.Errorf("a viewer sees %s", p.Body)
	}
}

// Every step in both languages, with a bounded number of statements; for other
// workspaces and roles as everywhere.
func TestStepsAreBoundedAndFenced(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddTemplate(t, "MARKETING", "PAUSED", "Not now")
	people := d.AddPeople(t, d.Audience, 40)
	d.Do(t, `update permission set purpose = 'utility' where workspace_id = $1 and contact_id = $2`, d.Workspace, people[0])
	for i := range 30 {
		d.AddAudience(t, fmt.Sprint("Audience ", i))
	}
	c := d.Campaign(t, "Bounded")
	d.Check(t, c.ID)
	base := "/campaigns/" + c.ID.String() + "/edit/"
	b := d.as(t, accounts.Marketer)
	for _, lang := range []string{"en", "ar"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		for step, most := range map[string]int64{"message": 13, "audience": 10, "delivery": 8, "check": 29, "confirm": 15} {
			before := d.counted.n.Load()
			examine(t, step, lang, b.get(base+step).has(t, 200, `aria-current="step"`))
			if n := d.counted.n.Load() - before; n > most {
				t.Errorf("%s: %d statements, at most %d", step, n, most)
			}
		}
	}
	b.get(base+"none").has(t, 404)
	d.as(t, accounts.Viewer).get(base+"message").has(t, 403)
	other := fixture.Workspace(t, d.pool, d.vault)
	_, email := fixture.User(t, d.pool, d.hasher, other, accounts.Owner)
	stranger := d.browser(t)
	stranger.signIn(email)
	for _, step := range []string{"message", "audience", "delivery", "check", "confirm"} {
		stranger.get(base+step).has(t, 404)
		stranger.post(base+step, "version", "1").has(t, 404)
	}
}
