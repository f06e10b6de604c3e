package web_test

import (
	"bufio"
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/web"
)

// sending is a campaign to some people of which each state has one.
type sending struct {
	*rig
	b        *fixture.Broadcast
	counted  *counter
	campaign id.Campaign
	run      id.Run
	draft    id.Campaign
}

func newSending(t *testing.T) *sending {
	t.Helper()
	db := pgtest.Open(t)
	s := &sending{rig: &rig{pool: db.Pool}, counted: &counter{}}
	s.vault, s.hasher = fixture.Vault(t, s.pool), fixture.Hasher(t)
	s.tenant = fixture.Workspace(t, s.pool, s.vault)
	counted, err := pg.Open(t.Context(), pg.Config{URL: db.URL, MaxConns: 8, Tracer: s.counted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(counted.Close)
	pages, err := web.New(web.Config{UI: pages(t), Pool: counted, Vault: s.vault, Hasher: s.hasher})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(pages)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	s.b = fixture.BroadcastOf(t, s.pool, s.vault, s.tenant)
	s.b.Audience = fixture.Audience(t, s.pool, s.vault, s.tenant, 10)
	l := s.b.Launch(t, "Eid offer – عرض العيد")
	s.campaign, s.run = l.CampaignID, l.RunID
	s.draft = s.b.Campaign(t, "Not yet").ID
	for i, state := range []string{"accepted", "sent", "delivered", "read", "failed", "suppressed", "unknown", "unconfirmed", "sending"} {
		s.set(t, i+1, state)
	}
	s.snapshot(t)
	return s
}

// set puts a message into a state as the worker and the statuses would.
func (s *sending) set(t *testing.T, ordinal int, state string) {
	t.Helper()
	s.b.Do(t, `
		update message
		set state = $3, attempt = 1, claimed_at = now(), claimed_by = 'worker-1', wamid = 'wamid.HBgM' || ordinal,
			reason = case $3 when 'failed' then 'meta_131049' when 'suppressed' then 'opted_out' when 'unconfirmed' then 'no_answer' end,
			meta_code = case $3 when 'failed' then 131049 end,
			accepted_at = case when $3 in ('accepted', 'sent', 'delivered', 'read', 'failed') then now() - interval '1 minute' end,
			delivered_at = case when $3 in ('delivered', 'read') then now() - interval '52 seconds' end,
			read_at = case when $3 = 'read' then now() end,
			failed_at = case when $3 = 'failed' then now() end
		where run_id = $1 and ordinal = $2`, s.run, ordinal, state)
}

func (s *sending) snapshot(t *testing.T) {
	t.Helper()
	s.b.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, s.b.Workspace, s.run) })
}

func (s *sending) hold(t *testing.T, o messages.Opening) {
	t.Helper()
	s.b.In(t, func(tx pgx.Tx) error {
		_, err := messages.OpenStop(t.Context(), tx, s.b.Workspace, o)
		return err
	})
}

func (s *sending) path(rest string) string { return "/campaigns/" + s.campaign.String() + rest }

func (s *sending) message(ordinal int32) string {
	return s.path("/recipients/" + id.Message{Run: s.run, Ordinal: ordinal}.String())
}

// Every page of a campaign, in both languages, with a bounded number of
// statements: a page's frame takes 9 of them.
func TestCampaignPages(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	s.hold(t, messages.Opening{Scope: messages.ScopeNumber, ScopeID: s.b.Number, Reason: "quality_red", ByRule: true, Threshold: "a drop to YELLOW or RED", Measured: "RED", By: "system:webhook"})
	b := s.as(t, accounts.Owner)
	for _, page := range []struct {
		path string
		most int64
		want map[string]string
	}{
		{"/campaigns", 18, map[string]string{"en": "On hold", "ar": "معلّقة"}},
		{"/campaigns?state=completed", 18, map[string]string{"en": "No campaign matches these filters.", "ar": "لا توجد حملة مطابقة"}},
		{s.path(""), 32, map[string]string{"en": "Stop on low quality", "ar": "التوقف عند انخفاض الجودة"}},
		{"/campaigns/" + s.draft.String(), 20, map[string]string{"en": "/edit/message", "ar": "/edit/message"}},
		{s.path("/resume"), 18, map[string]string{"en": "Clear this hold", "ar": "رفع هذا التعليق"}},
		{s.path("/stop"), 18, map[string]string{"en": "cannot be recalled", "ar": "لا يمكن استرجاع"}},
		{s.path("/recipients"), 19, map[string]string{"en": "Opted out", "ar": "ألغى الاشتراك"}},
		{s.path("/recipients?state=failed&reason=meta_131049"), 19, map[string]string{"en": "Meta limits how many", "ar": "تحدّ ميتا من عدد"}},
		{s.message(4), 19, map[string]string{"en": "https://acme.example/join", "ar": "نموذج ويب"}},
		{s.message(5), 19, map[string]string{"en": "Leave the person alone for at least 24 hours. Sent again? Not this message", "ar": "دع الشخص 24 ساعة على الأقل"}},
		{s.path("/report"), 19, map[string]string{"en": "Delivered ÷ Accepted", "ar": "المسلّمة ÷ المقبولة"}},
		{"/campaigns/" + s.draft.String() + "/report", 19, map[string]string{"en": "before the launch", "ar": "قبل الإطلاق"}},
		{"/campaigns/" + s.draft.String() + "/recipients", 19, map[string]string{"en": "once the campaign is launched", "ar": "بعد إطلاق الحملة"}},
	} {
		for lang, want := range page.want {
			b.post("/language", "language", lang, "back", "/").to(t, "/")
			before := s.counted.n.Load()
			p := b.get(page.path).has(t, 200, want)
			if n := s.counted.n.Load() - before; n > page.most {
				t.Errorf("%s: %d statements, at most %d", page.path, n, page.most)
			}
			examine(t, page.path, lang, p)
		}
	}
}

// A message's text shows the person's own values to those who see phone numbers
// alone.
func TestMessageTextIsMasked(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	m := id.Message{Run: s.run, Ordinal: 4}
	box, err := s.vault.Box(t.Context(), s.b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := box.Seal([]byte(`{"body.1":"Private Name"}`), messages.ParametersPlace(m))
	if err != nil {
		t.Fatal(err)
	}
	s.b.Do(t, `update message set parameters = $3 where run_id = $1 and ordinal = $2`, m.Run, m.Ordinal, sealed)
	s.as(t, accounts.Marketer).get(s.message(4)).has(t, 200, "Private Name")
	p := s.as(t, accounts.Viewer).get(s.message(4)).has(t, 200, "shown only to roles that see phone numbers")
	if strings.Contains(p.Body, "Private Name") {
		t.Error("a viewer reads the person's own values")
	}
}

func TestCampaignFiguresAddUp(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	p := s.as(t, accounts.Viewer).get(s.path(""))
	p.Body = html.UnescapeString(p.Body)
	p.has(t, 200,
		"Rows 10 = left out 1 + waiting 2 + accepted 4 + held 0 + failed 1 + unanswered 1 + unconfirmed 1.",
		"Meta did not answer for 1 person.", "131049", "Your role can view results but not send.", `data-live="`)
	if strings.Contains(p.Body, s.path("/pause")) {
		t.Error("a viewer is offered to pause")
	}
}

// The list narrows, turns its pages and shows what was asked.
func TestCampaignList(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	for i := range 26 {
		s.b.Campaign(t, "Draft number "+string(rune('a'+i)))
	}
	b := s.as(t, accounts.Marketer)
	p := b.get("/campaigns?limit=25").has(t, 200, "Draft number z", "Next page")
	if strings.Contains(p.Body, "Not yet") {
		t.Error("the first page shows the oldest")
	}
	_, rest, _ := strings.Cut(p.Body, `rel="next" href="`)
	next, _, _ := strings.Cut(rest, `"`)
	b.get(strings.ReplaceAll(next, "&amp;", "&")).has(t, 200, "Not yet", "عرض العيد", "First page")
	b.get("/campaigns?cursor=made-up").has(t, 400)
	p = b.get("/campaigns?q=not+yet&number="+s.b.Number.String()+"&template="+s.b.Template.String()).has(t, 200, "Not yet", `value="not yet"`)
	if strings.Contains(p.Body, "Draft number") {
		t.Error("the search finds others")
	}
	b.get("/campaigns?number="+id.New[id.Number]().String()).has(t, 200, "No campaign matches")
	b.get("/campaigns?state=running").has(t, 200, "عرض العيد", `data-live=""`)
}

func TestPauseResumeStop(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	b := s.as(t, accounts.Admin)
	b.post(s.path("/unconfirmed"), "expected", "1").has(t, 422, "This value cannot be used.") // which of two ends is not guessed
	b.post(s.path("/pause"), "back", "/campaigns?state=running").to(t, "/campaigns?state=running")
	b.get(s.path("")).has(t, 200, "is paused", "Paused by a person", "Waits until a person resumes.")
	b.post(s.path("/resume")).to(t, s.path(""))
	p := b.get(s.path("")).has(t, 200, "was lifted")
	if strings.Contains(p.Body, "Waits until a person resumes.") {
		t.Error("the pause is still there")
	}
	s.hold(t, messages.Opening{Scope: messages.ScopeTemplate, ScopeID: s.b.Template, Reason: "template_paused", ByRule: true, Measured: "PAUSED", By: "system:webhook"})
	s.hold(t, messages.Opening{Scope: messages.ScopeWABA, ScopeID: s.b.WABA, Reason: "payment_problem", ByRule: true, By: "system:answer"})
	b.get(s.path("/resume")).has(t, 200, "Meta paused the template", "template or account are released", `name="stop"`)
	now := s.read(t)
	b.post(s.path("/resume"), "stop", now.Stops[0].ID.String()).has(t, 422, `aria-invalid="true"`, "checked")
	b.post(s.path("/resume"), "stop", now.Stops[0].ID.String(), "reason", "The template was approved again").to(t, s.path(""))
	if now = s.read(t); len(now.Stops) != 1 || now.Stops[0].Reason != "payment_problem" {
		t.Errorf("left: %+v", now.Stops)
	}
	marketer := s.as(t, accounts.Marketer)
	marketer.post(s.path("/resume"), "stop", now.Stops[0].ID.String(), "reason", "x").has(t, 403)
	b.post(s.path("/resume"), "stop", now.Stops[0].ID.String(), "reason", "Paid").to(t, s.path(""))
	s.hold(t, messages.Opening{Scope: messages.ScopeWorkspace, ScopeID: s.b.Workspace, Reason: "restored", ByRule: true, By: "system:admin"})
	b.get(s.path("/resume")).has(t, 200, "cannot be cleared here")
	now = s.read(t)
	b.post(s.path("/resume"), "stop", now.Stops[0].ID.String(), "reason", "x").has(t, 422)
	b.get(s.path("/stop")).has(t, 200, "Stop for good?", "2 people will not be messaged")
	b.post(s.path("/stop")).to(t, s.path(""))
	b.get(s.path("")).has(t, 200, "was stopped for good", "Stopped")
	b.post(s.path("/pause")).has(t, 409)
	b.get(s.path("/stop")).has(t, 200, "stopped for good")
}

// A launch can be taken back until its first message; afterwards whoever presses
// the button is asked whether to stop.
func TestTakeBack(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	b := s.as(t, accounts.Marketer)
	b.post(s.path("/take-back")).to(t, s.path("/stop"))
	b.get(s.path("/stop")).has(t, 200, "cannot be taken back", "Stop for good?")
	if now := s.read(t); now.State != campaigns.Running {
		t.Fatalf("the campaign that sends is %s", now.State)
	}
	s.b.Do(t, `update campaign set state = 'starting' where id = $1`, s.campaign)
	s.b.Do(t, `update run set state = 'planning', started_at = null, starts_at = now() + interval '10 minutes' where id = $1`, s.run)
	for _, x := range [][2]string{{"ar", "يبدأ الإرسال بعد"}, {"en", "Sending begins in"}} { // English last: what follows reads it
		lang, want := x[0], x[1]
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		p := b.get(s.path("")).has(t, 200, want, `data-countdown="`, s.path("/take-back"))
		examine(t, "starting", lang, p)
		if strings.Contains(p.Body, "nothing to resume") {
			t.Error("a campaign that has not begun is said not to be held")
		}
	}
	if p := s.as(t, accounts.Viewer).get(s.path("")).has(t, 200, "Sending begins in"); strings.Contains(p.Body, "/take-back") {
		t.Error("a viewer is offered to take it back")
	}
	b.post(s.path("/take-back")).to(t, s.path(""))
	b.get(s.path("")).has(t, 200, "was taken back", "Stopped")
	if now := s.read(t); now.State != campaigns.Stopped {
		t.Errorf("the campaign is %s", now.State)
	}
}

func (s *sending) read(t *testing.T) (c campaigns.Campaign) {
	t.Helper()
	s.b.In(t, func(tx pgx.Tx) (err error) {
		c, err = campaigns.Get(t.Context(), tx, s.b.Workspace, s.campaign)
		return err
	})
	return c
}

// Another workspace's campaign is not there, whatever is asked of it; a role
// that may not is told so.
func TestOthersCampaigns(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	other := fixture.Workspace(t, s.pool, s.vault)
	_, email := fixture.User(t, s.pool, s.hasher, other, accounts.Owner)
	b := s.browser(t)
	b.signIn(email)
	for _, path := range []string{"", "/live", "/resume", "/stop", "/recipients", "/recipients.csv", "/report", "/differences", "/differences/rows.csv"} {
		b.get(s.path(path)).has(t, 404)
	}
	b.get(s.message(1)).has(t, 404)
	for _, path := range []string{"/pause", "/resume", "/stop", "/take-back"} {
		b.post(s.path(path)).has(t, 404)
	}
	mine := s.as(t, accounts.Owner)
	mine.get("/campaigns/"+s.draft.String()+"/recipients/"+id.Message{Run: s.run, Ordinal: 1}.String()).has(t, 404)
	viewer := s.as(t, accounts.Viewer)
	for _, path := range []string{"/pause", "/resume", "/stop", "/take-back"} {
		viewer.post(s.path(path)).has(t, 403)
	}
	viewer.get(s.path("/recipients.csv")).has(t, 403)
}

// Phones are whole for those who may see them and masked for others, in the
// list, on the message and in the file.
func TestRecipientsMasked(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	phone := fixture.Phone(0)
	marketer, viewer := s.as(t, accounts.Marketer), s.as(t, accounts.Viewer)
	marketer.get(s.path("/recipients")).has(t, 200, phone)
	marketer.get(s.message(1)).has(t, 200, "wamid.HBgM1", "worker-1")
	for _, path := range []string{s.path("/recipients"), s.message(1)} {
		p := viewer.get(path).has(t, 200)
		if strings.Contains(p.Body, phone) || strings.Contains(p.Body, "wamid.") {
			t.Errorf("%s shows a viewer the number", path)
		}
	}
	p := s.as(t, accounts.Owner).get(s.path("/recipients.csv?state=delivered")).has(t, 200, "message_id,contact_id", "delivered", "read")
	if lines := strings.Count(p.Body, "\n"); lines != 3 || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("%d lines, %v: %s", lines, p.Header, p.Body)
	}
}

// The stream brings the figures anew, in the viewer's language, and ends with
// the campaign.
func TestCampaignStream(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	b := s.as(t, accounts.Owner)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+s.path("/live"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	until := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(html.UnescapeString(lines.Text()), want) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", want, lines.Err())
	}
	until("event: fragments")
	until(`id="campaign-figures"`)
	until("waiting 2 + accepted 4")
	s.set(t, 10, "accepted")
	s.snapshot(t)
	until("waiting 1 + accepted 5")
	until("event: say")
	b.post(s.path("/pause")).to(t, s.path(""))
	until(`id="campaign-log"`)
	until("event: state")
	b.post(s.path("/stop")).to(t, s.path(""))
	until("data: reload")
}
