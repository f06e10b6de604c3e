//go:build unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bareed/client"
	"bareed/docs"
	"bareed/internal/rig"
)

// world is the running product with two tenants: one that the pages show at
// rest, one that the journeys change.
type world struct {
	rig   *rig.Rig
	still *rig.Tenant
	busy  *rig.Tenant
	ids   map[string][]string // by the name of a path's part, such as campaign
	own   map[string][]string // by route, for pages that need an object of their own
	texts []string            // what the workspace's people wrote, for titles and attributes
	users map[string]rig.Login
	shots map[string]string // what a campaign's pictures are called besides
}

const settings = `{"default_country": "SA", "consent": {"covers": "rows", "purposes": ["marketing"], "method": "web_form",
	"source": "https://acme.example/join", "evidence": "export of the form",
	"wording": {"version": "1", "text": "Acme may send me offers on WhatsApp.", "business_name": "Acme"}}}`

// people is a file with n good rows, three bad ones, one without opt-in.
func people(prefix string, n int) []byte {
	var b bytes.Buffer
	b.WriteString("phone,name,city,opt_in,opt_in_at\n")
	names, cities := []string{"سارة العتيبي", "Omar Haddad", "هند", "Maria Souza"}, []string{"Riyadh", "جدة", "Kuwait City"}
	for i := range n {
		fmt.Fprintf(&b, "%s%04d,%s,%s,yes,2026-01-02\n", prefix, i, names[i%len(names)], cities[i%len(cities)])
	}
	fmt.Fprintf(&b, "%s9999,No Consent,Riyadh,,\n12345,Too short,Riyadh,yes,2026-01-02\ncall me,Letters,Riyadh,yes,2026-01-02\n%s9998,From tomorrow,Riyadh,yes,2031-01-01\n", prefix, prefix)
	return b.Bytes()
}

// seed makes both tenants and everything that a page may be about.
func seed(ctx context.Context, r *rig.Rig) (*world, error) {
	w := &world{rig: r, ids: map[string][]string{}, own: map[string][]string{}, users: map[string]rig.Login{}}
	if err := r.Control(ctx, "/sandbox/scenario", map[string]any{"fail_probability": 0.05, "read_delay_ms": []int{50, 300},
		"sent_delay_ms": []int{20, 60}, "delivered_delay_ms": []int{30, 100}}, nil); err != nil {
		return nil, err
	}
	var err error
	if w.still, err = r.MakeTenant(ctx, "Still", rig.MetaOf(1, 40, "TIER_100K")); err != nil {
		return nil, err
	}
	if w.busy, err = r.MakeTenant(ctx, "Busy", rig.MetaOf(2, 40, "TIER_100K")); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{w.members, w.contacts, w.campaigns, w.found} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("make the data: %w", err)
		}
	}
	w.texts = append(w.texts, "rate-card-FAKE.csv", "XTS", "Still", "Busy", "Customers", "Finished offer", "Held offer", "Weekly offer", "Draft offer", "Costly offer", "offer", "order_update",
		"Omar Haddad", "سارة العتيبي", "هند", "No Consent", "city", "Africa/Cairo", "Maria Souza", "Asia/Riyadh", "Acme")
	return w, nil
}

// member adds a person to a tenant and signs them in.
func (w *world) member(ctx context.Context, t *rig.Tenant, name, role string) error {
	session, err := w.rig.SignIn(ctx, t.Owner)
	if err != nil {
		return err
	}
	l := rig.Login{Email: name + "@" + strings.Split(t.Owner.Email, "@")[1], Password: "a lantern over the harbour"}
	w.users[name] = l
	return w.rig.Call(ctx, session, "POST", "/v1/members", map[string]string{"email": l.Email, "name": "Person " + name, "role": role, "password": l.Password}, nil)
}

func (w *world) members(ctx context.Context) error {
	w.users["en"] = w.still.Owner
	for _, m := range []struct {
		tenant     *rig.Tenant
		name, role string
	}{{w.still, "ar", "owner"}, {w.busy, "marketer", "marketer"}, {w.busy, "viewer", "viewer"}} {
		if err := w.member(ctx, m.tenant, m.name, m.role); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) call(ctx context.Context, method, path string, in, out any) error {
	return w.rig.Call(ctx, w.still.Key, method, path, in, out)
}

func (w *world) contacts(ctx context.Context) error {
	var audience struct{ ID string }
	if err := w.call(ctx, "POST", "/v1/audiences", map[string]any{"name": "Customers"}, &audience); err != nil {
		return err
	}
	upload := client.Upload{File: bytes.NewReader(people("+96650123", 240)), Name: "customers.csv"}
	if err := json.Unmarshal([]byte(settings), &upload.Settings); err != nil {
		return err
	}
	started, err := w.rig.Client(w.still.Key).CreateImport(ctx, audience.ID, upload)
	if err != nil {
		return err
	}
	w.ids["audience"], w.ids["import"] = []string{audience.ID}, []string{started.Import.ID}
	card, err := w.rig.Client(w.still.Key).CreateRateCard(ctx, "rate-card-FAKE.csv", "2025-07-01", docs.FakeRateCard)
	if err != nil {
		return err
	}
	w.ids["card"] = []string{card.ID}
	return w.job(ctx, started.Job.ID)
}

func (w *world) job(ctx context.Context, id string) error {
	return rig.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		var j struct{ State, Kind string }
		if err := w.call(ctx, "GET", "/v1/jobs/"+id, nil, &j); err != nil {
			return false, err
		}
		if j.State == "failed" {
			return false, errors.New("the job " + j.Kind + " failed")
		}
		return j.State == "completed", nil
	})
}

// checked defines a campaign, with more of its definition, and checks it.
func (w *world) checked(ctx context.Context, name string, more map[string]any) (campaign string, eligible int64, err error) {
	template, err := w.rig.Template(ctx, w.still, "offer", "ar")
	if err != nil {
		return "", 0, err
	}
	definition := map[string]any{"name": name, "number_id": w.still.Number, "template_id": template,
		"audience_ids": w.ids["audience"], "variables": map[string]any{"body": []map[string]string{{"attribute": "name", "fallback": "صديقنا"}, {"attribute": "city"}}}}
	maps.Copy(definition, more)
	var made struct{ ID string }
	if err := w.call(ctx, "POST", "/v1/campaigns", definition, &made); err != nil {
		return "", 0, err
	}
	var check struct {
		CheckID string `json:"check_id"`
		JobID   string `json:"job_id"`
	}
	if err := w.call(ctx, "POST", "/v1/campaigns/"+made.ID+"/check", nil, &check); err != nil {
		return "", 0, err
	}
	w.ids["check"] = []string{check.CheckID}
	if err := w.job(ctx, check.JobID); err != nil {
		return "", 0, err
	}
	var result struct{ Eligible int64 }
	err = w.call(ctx, "GET", "/v1/campaigns/"+made.ID+"/checks/"+check.CheckID, nil, &result)
	return made.ID, result.Eligible, err
}

// launched is checked and launched.
func (w *world) launched(ctx context.Context, name string, more map[string]any) (string, error) {
	campaign, eligible, err := w.checked(ctx, name, more)
	if err != nil {
		return "", err
	}
	return campaign, w.call(ctx, "POST", "/v1/campaigns/"+campaign+"/launch", map[string]any{"expected_recipients": eligible}, nil)
}

// sent is launched, and a message of it was accepted.
func (w *world) sent(ctx context.Context, name string) (string, error) {
	campaign, err := w.launched(ctx, name, nil)
	if err != nil {
		return "", err
	}
	return campaign, w.reaches(ctx, campaign, func(r report) bool { return r.Accepted > 0 })
}

// weekly is a schedule whose next time is not near.
func weekly() map[string]any {
	return map[string]any{"schedule": map[string]any{"zone": "Asia/Riyadh", "window": map[string]any{"from": "09:00", "to": "18:00"},
		"recurring": map[string]any{"every": "week", "weekdays": []string{"sunday", "wednesday"}, "time": "10:00"}}}
}

type report struct {
	State    string
	Accepted int64
	Ready    int64
}

func (w *world) reaches(ctx context.Context, campaign string, enough func(report) bool) error {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	return rig.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		var r report
		err := w.call(ctx, "GET", "/v1/campaigns/"+campaign+"/report", nil, &r)
		return enough(r), err
	})
}

// campaigns makes one in every state that looks different: a draft with its
// check, one that a person paused, one that has finished, and one that recurs.
func (w *world) campaigns(ctx context.Context) error {
	spent, err := w.overspent(ctx, "Costly offer")
	if err != nil {
		return err
	}
	held, err := w.sent(ctx, "Held offer")
	if err != nil {
		return err
	}
	if err := w.call(ctx, "POST", "/v1/campaigns/"+held+"/pause", nil, nil); err != nil {
		return err
	}
	done, err := w.sent(ctx, "Finished offer")
	if err != nil {
		return err
	}
	if err := w.reaches(ctx, done, func(r report) bool { return r.State == "completed" }); err != nil {
		return fmt.Errorf("wait for the campaign's end: %w", err)
	}
	recurring, err := w.launched(ctx, "Weekly offer", weekly())
	if err != nil {
		return err
	}
	draft, _, err := w.checked(ctx, "Draft offer", nil)
	if err != nil {
		return err
	}
	w.ids["campaign"] = []string{held, done}
	w.shots = map[string]string{done: "-finished", recurring: "-weekly", spent: "-spent"}
	w.place(draft, held, recurring, spent)
	return w.holding(ctx, spent)
}

// overspent launches a campaign whose budget is lowered while it may still be taken
// back: it pays for a part of the people.
func (w *world) overspent(ctx context.Context, name string) (string, error) {
	campaign, eligible, err := w.checked(ctx, name, nil)
	if err != nil {
		return "", err
	}
	err = w.call(ctx, "POST", "/v1/campaigns/"+campaign+"/launch", map[string]any{"expected_recipients": eligible, "undo_seconds": 3}, nil)
	if err != nil {
		return "", err
	}
	c := w.rig.Client(w.still.Key)
	was, err := c.GetCampaignBudget(ctx, campaign)
	if err == nil {
		_, err = c.SetCampaignBudget(ctx, campaign, was.ETag, &client.Money{Micros: 50_000_000, Currency: "XTS"})
	}
	return campaign, err
}

// holding waits until a rule holds a campaign.
func (w *world) holding(ctx context.Context, campaign string) error {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	err := rig.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		var c struct{ Stops []struct{ Reason string } }
		err := w.call(ctx, "GET", "/v1/campaigns/"+campaign, nil, &c)
		return len(c.Stops) > 0, err
	})
	if err != nil {
		return fmt.Errorf("wait until the budget holds a campaign: %w", err)
	}
	return nil
}

// found asks for the ids of what came into being by itself.
func (w *world) found(ctx context.Context) error {
	first := func(name, path string) error {
		var list struct{ Data []struct{ ID string } }
		if err := w.call(ctx, "GET", path, nil, &list); err != nil {
			return err
		}
		if len(list.Data) == 0 {
			return fmt.Errorf("nothing at %s", path)
		}
		w.ids[name] = []string{list.Data[0].ID}
		return nil
	}
	w.ids["number"], w.ids["language"] = []string{w.still.Number}, []string{"en", "ar"}
	var recipients struct{ Data []map[string]any }
	if err := w.call(ctx, "GET", "/v1/campaigns/"+w.ids["campaign"][1]+"/recipients?limit=5", nil, &recipients); err != nil {
		return err
	}
	for _, key := range []string{"message_id", "id", "message"} {
		if id, ok := recipients.Data[0][key].(string); ok {
			w.own["GET /campaigns/{campaign}/recipients/{message}"] = []string{"/campaigns/" + w.ids["campaign"][1] + "/recipients/" + id}
			break
		}
	}
	if err := w.foundAsOwner(ctx); err != nil {
		return err
	}
	return errors.Join(first("contact", "/v1/contacts?limit=1"), first("template", "/v1/templates?limit=1"), first("portfolio", "/v1/portfolios"))
}

// foundAsOwner finds what no key may read: a key, and a member beside the owner.
func (w *world) foundAsOwner(ctx context.Context) error {
	session, err := w.rig.SignIn(ctx, w.still.Owner)
	if err != nil {
		return err
	}
	var keys struct{ Data []struct{ ID string } }
	if err := w.rig.Call(ctx, session, "GET", "/v1/api-keys", nil, &keys); err != nil {
		return err
	}
	w.ids["key"] = []string{keys.Data[0].ID}
	var members struct{ Data []struct{ ID, Email string } }
	if err := w.rig.Call(ctx, session, "GET", "/v1/members", nil, &members); err != nil {
		return err
	}
	for _, m := range members.Data {
		if m.Email != w.still.Owner.Email {
			w.ids["user"] = []string{m.ID}
		}
	}
	w.ids["member"] = w.ids["user"]
	return nil
}

// form posts a page's form as a person of the still tenant, and returns where
// the answer leads.
func (w *world) form(ctx context.Context, session, path, contentType string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.rig.URL+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Cookie", sessionCookie+"="+session)
	res, err := w.follow().Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("POST %s answered %s", path, res.Status)
	}
	return res.Header.Get("Location"), nil
}

// follow is a client that follows no redirect.
func (w *world) follow() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func values(kv ...string) []byte {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Add(kv[i], kv[i+1])
	}
	return []byte(v.Encode())
}
