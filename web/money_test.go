package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/internal/fixture"
)

// card uploads a rate card as a browser does.
func (b *browser) card(day, name, file string) page {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("valid_from", day)
	if name != "" {
		part, err := m.CreateFormFile("file", name)
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = part.Write([]byte(file))
	}
	_ = m.Close()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.rig.url+"/rate-cards/new", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", b.lang)
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	_, _ = text.ReadFrom(res.Body)
	return page{res.StatusCode, res.Header, text.String()}
}

// A card is uploaded, refused with its faults, shown and taken away again as a
// file, in both languages.
func TestRateCardPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Owner)
	b.get("/rate-cards").has(t, 200, "No rate card yet", `href="/rate-cards/new"`)
	b.card("2026-10-01", "", "").has(t, 422, "<main")
	b.card("2026-02-30", "a.csv", fixture.FakeCard).has(t, 422, "2026-02-30 is no day")
	b.card("2026-10-01", "a.csv", "market,category,currency,rate\nAtlantis,marketing,XTS,1\nEG,marketing,XTS,ten\n").
		has(t, 422, "Line 2, column market: Atlantis is no country", "Line 3, column rate: ten is no price", `value="2026-10-01"`)
	done := b.card("2026-10-01", "FAKE.csv", fixture.FakeCard)
	where := done.Header.Get("Location")
	if done.Status != 303 || !strings.HasPrefix(where, "/rate-cards/rate_") {
		t.Fatalf("%d %s", done.Status, done.Body)
	}
	for _, lang := range []string{"en", "ar"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		b.lang = lang
		for _, path := range []string{"/rate-cards", "/rate-cards/new", where} {
			examine(t, path, lang, b.get(path))
		}
		saudi := map[string]string{"en": "Saudi Arabia", "ar": "السعودية"}[lang]
		b.get(where).has(t, 200, `<bdi dir="ltr">0.90 XTS</bdi>`, `<bdi dir="ltr">0.05 XTS</bdi>`, saudi)
	}
	if file := b.get(where+"/file.csv").has(t, 200); file.Body != fixture.FakeCard || !strings.Contains(file.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %q", file.Header, file.Body)
	}
	viewer := r.as(t, accounts.Viewer)
	viewer.get("/rate-cards").has(t, 200, "Only owners and admins upload rate cards.", "FAKE.csv")
	viewer.get("/rate-cards/new").has(t, 403)
	viewer.card("2026-10-01", "b.csv", fixture.FakeCard).has(t, 403)
}

// The check's page says what it costs and what has no price; the report says
// what it did cost, beside the estimate, and why they differ.
func TestWhatACampaignCosts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	people := d.AddPeople(t, d.Audience, 10)
	d.Do(t, `update identity set country = 'FR' where workspace_id = $1 and contact_id = $2`, d.Workspace, people[9])
	b := d.as(t, accounts.Owner)
	c := d.Broadcast.Campaign(t, "Priced")
	d.Check(t, c.ID)
	step := "/campaigns/" + c.ID.String() + "/edit/check"
	b.get(step).has(t, 200, "What it will cost", "No rate card in force on that day", "Not known")
	d.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	b.get(step).has(t, 200, `<bdi dir="ltr">8.10 XTS</bdi>`, "Saudi Arabia", "France", "The rate card has no price for it")

	b.get("/campaigns/"+c.ID.String()+"/edit/confirm").has(t, 200, `At most <bdi dir="ltr">8.10 XTS</bdi>`, "Without a price: 1")

	l := d.Launch(t, "Sent")
	report := "/campaigns/" + l.CampaignID.String() + "/report"
	d.In(t, func(tx pgx.Tx) error { return estimate.Fix(t.Context(), tx, d.Workspace, l.RunID) })
	b.get(report).has(t, 200, "The messages are counted within seconds.")
	d.Do(t, `update message set state = 'delivered', delivered_at = bareed_now(),
		pricing = '{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}' where run_id = $1 and ordinal <= 7`, l.RunID)
	d.Do(t, `update message set state = 'failed', reason = 'meta_131026' where run_id = $1 and ordinal in (8, 9)`, l.RunID)
	d.In(t, func(tx pgx.Tx) error { return charges.Count(t.Context(), tx, d.Workspace, l.RunID) })
	b.get(report).has(t, 200, `<bdi dir="ltr">8.10 XTS</bdi>`, `<bdi dir="ltr">6.30 XTS</bdi>`, `<bdi dir="ltr">`+"\u2212"+`1.80 XTS</bdi>`, "Not delivered", "France")
	for _, lang := range []string{"en", "ar"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		b.lang = lang
		examine(t, report, lang, b.get(report))
		examine(t, step, lang, b.get(step))
	}
}
