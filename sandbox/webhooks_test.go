package sandbox_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bareed/sandbox"
	"bareed/whatsapp"
)

func TestRetriedUntil200(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.inbox.setRefuse(3)
	m.send(t.Context(), person(1), callback(1, 1))
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 1 && m.Summary().Webhooks.Pending == 0 })
	if w := m.Summary().Webhooks; w.Refused != 3 || w.Acknowledged < 1 || w.Posts != w.Refused+w.Acknowledged || w.GivenUp != 0 {
		t.Errorf("%+v", w)
	}
}

func TestOutageHoldsEverythingBack(t *testing.T) {
	t.Parallel()
	m := start(t, func(_ *sandbox.Config, sc *sandbox.Scenario) { sc.Outage = true })
	for i := range 250 {
		m.send(t.Context(), person(i), callback(i, 1))
	}
	if w := m.Summary().Webhooks; w.Posts != 0 || w.Pending < 250 || len(m.inbox.changes()) != 0 {
		t.Fatalf("during the outage: %+v", w)
	}
	sc := m.Scenario()
	sc.Outage = false
	if err := m.SetScenario(sc); err != nil {
		t.Fatal(err)
	}
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 250 })
	m.inbox.mu.Lock()
	defer m.inbox.mu.Unlock()
	if len(m.inbox.bodies) > 30 { // 250 to 650 statuses in bodies of up to 100
		t.Errorf("%d bodies: statuses are not batched", len(m.inbox.bodies))
	}
}

func TestDoublesAndDisorder(t *testing.T) {
	t.Parallel()
	m := start(t, func(_ *sandbox.Config, sc *sandbox.Scenario) {
		sc.DoubleProbability, sc.RepeatProbability, sc.Reorder, sc.ReadProbability = 0.5, 0.5, true, 1
		sc.DeliveredDelayMS, sc.ReadDelayMS = [2]int{20, 60}, [2]int{20, 60}
	})
	for i := range 60 {
		m.send(t.Context(), person(i), callback(i, 1))
	}
	m.inbox.until(func() bool { return m.Summary().Statuses["read"] == 60 && m.Summary().Webhooks.Pending == 0 })
	s := m.Summary()
	if s.Statuses["sent"] != 60 || s.Statuses["delivered"] != 60 {
		t.Errorf("%+v", s.Statuses)
	}
	if len(m.inbox.statuses()) <= 180 {
		t.Error("no doubles")
	}
	order := map[string][]string{}
	for _, st := range m.inbox.statuses() {
		order[st.CallbackData] = append(order[st.CallbackData], st.Kind)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(order)), func(kinds []string) bool { return kinds[0] == "read" }) {
		t.Error("no disorder")
	}
	same := map[string]int{}
	for _, b := range m.inbox.bodies {
		same[string(b)]++
	}
	if len(same) == len(m.inbox.bodies) {
		t.Error("no body came twice")
	}
}

func TestHoldsReleasedAndDropped(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	held := func() (n int) {
		for i := range 5 {
			if r := m.send(t.Context(), person(int(m.Summary().Requests)), callback(100+i, 1)); r.Status == whatsapp.StatusHeld {
				n++
			}
		}
		return n
	}
	m.AddHold(sandbox.Hold{Template: "plain", After: 2})
	if n := held(); n != 3 {
		t.Fatalf("%d held", n)
	}
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 2 && m.Summary().Webhooks.Pending == 0 })
	if n := m.ReleaseHolds(); n != 3 {
		t.Errorf("%d released", n)
	}
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 5 })
	m.AddHold(sandbox.Hold{PortfolioID: portfolio})
	if n := held(); n != 5 {
		t.Fatalf("%d held", n)
	}
	if n := m.DropHolds(true); n != 5 {
		t.Errorf("%d dropped", n)
	}
	m.inbox.until(func() bool { return m.inbox.count("failed") == 5 })
	m.inbox.until(func() bool {
		return slices.ContainsFunc(m.inbox.changes(), func(c whatsapp.Change) bool {
			ts, ok := c.Value.(whatsapp.TemplateStatus)
			return ok && ts.Event == "PAUSED" && ts.Name == "plain" && ts.Detail == "FIRST_PAUSE"
		})
	})
	if r := m.send(t.Context(), person(77), ""); r.Code != 132015 {
		t.Errorf("after the pause: %+v", r)
	}
	if m.Summary().Held != 8 {
		t.Errorf("%d held in the journal", m.Summary().Held)
	}
}

// Every control over HTTP, and the webhook it must cause.
func TestControls(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	id := func(v whatsapp.TemplateRef) bool { return v.ID == "900000000000301" }
	tests := []struct {
		path, body string
		ok         func(whatsapp.Value) bool // nil: no webhook
	}{
		{"number", `{"phone_number_id":"` + pnid + `","quality_rating":"RED","webhook":true}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.NumberQuality)
			return ok && q.Event == "FLAGGED" && q.Limit == "TIER_2K"
		}},
		{"template", `{"template_id":"900000000000301","quality_score":"YELLOW"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.TemplateQuality)
			return ok && id(q.TemplateRef) && q.New == "YELLOW"
		}},
		{"template", `{"template_id":"900000000000301","status":"PAUSED","detail":"FIRST_PAUSE"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.TemplateStatus)
			return ok && id(q.TemplateRef) && q.Event == "PAUSED"
		}},
		{"template", `{"template_id":"900000000000303","correct_category":"MARKETING"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.TemplateCategory)
			return ok && q.Impending && q.Current == "UTILITY" && q.To == "MARKETING"
		}},
		{"template", `{"template_id":"900000000000303","category":"MARKETING"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.TemplateCategory)
			return ok && !q.Impending && q.Previous == "UTILITY" && q.Current == "MARKETING"
		}},
		{"limit", `{"portfolio_id":"` + portfolio + `","limit":"TIER_10K","as_tier":true}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.Capability)
			return ok && q.Limit == 10000
		}},
		{"limit", `{"portfolio_id":"` + portfolio + `","limit":"TIER_UNLIMITED"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.Capability)
			return ok && q.Unlimited
		}},
		{"event", `{"waba_id":"` + waba + `","value":{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"SCAM"}}}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.AccountUpdate)
			return ok && q.ViolationType == "SCAM" && q.WABAID == waba
		}},
		{"inbound", `{"phone_number_id":"` + pnid + `","from":"` + person(5) + `","button_payload":"STOP","button_text":"Stop promotions"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.Messages)
			return ok && len(q.Inbound) == 1 && q.Inbound[0].ButtonPayload == "STOP" && q.Inbound[0].From == person(5)[1:]
		}},
		{"people", `{"phone":"` + person(6) + `","username":"six","hidden":true}`, nil},
		{"inbound", `{"phone_number_id":"` + pnid + `","from":"` + person(6) + `","text":"STOP"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.Messages)
			return ok && len(q.Inbound) == 1 && q.Inbound[0].From == "" && whatsapp.IsBSUID(q.Inbound[0].FromUserID) && q.Contacts[0].Username == "six"
		}},
		{"user_preferences", `{"phone_number_id":"` + pnid + `","from":"` + person(5) + `","value":"stop"}`, func(v whatsapp.Value) bool {
			q, ok := v.(whatsapp.UserPreferences)
			return ok && q.PhoneNumberID == pnid && q.Preferences[0].Value == "stop" && q.Preferences[0].WaID == person(5)[1:]
		}},
		{"verify", `{"app_id":"` + appID + `"}`, nil},
		{"clock", `{"advance_ms":1000}`, nil},
		{"holds", `{"action":"hold","template":"plain"}`, nil},
		{"holds", `{"action":"release"}`, nil},
		{"scenario", `{"latency_ms":1,"magic":false}`, nil},
		{"faults", `{"kind":"refuse","code":190,"count":1}`, nil},
	}
	for _, tc := range tests {
		if code := m.control(t, "POST", "/sandbox/"+tc.path, tc.body, nil); code != 200 {
			t.Fatalf("%s %s: HTTP %d", tc.path, tc.body, code)
		}
		if tc.ok != nil {
			m.inbox.until(func() bool {
				return slices.ContainsFunc(m.inbox.changes(), func(c whatsapp.Change) bool { return c.EntryID == waba && tc.ok(c.Value) })
			})
		}
	}
	if sc := m.Scenario(); sc.LatencyMS != 1 || sc.Magic || sc.PairBurst != 45 {
		t.Errorf("scenario %+v", sc)
	}
	for _, bad := range [][2]string{
		{"scenario", `{"latency":1}`}, {"scenario", `{"read_probability":2}`}, {"faults", `{"kind":"nonsense"}`}, {"number", `{"phone_number_id":"1"}`},
		{"template", `{"template_id":"1"}`}, {"holds", `{"action":"x"}`}, {"clock", `{"advance_ms":-1}`}, {"numbers", `{"id":"1","waba_id":"nothing"}`}, {"seed", `{`},
	} {
		if code := m.control(t, "POST", "/sandbox/"+bad[0], bad[1], nil); code != 400 {
			t.Errorf("%v: HTTP %d", bad, code)
		}
	}
	if r := m.send(t.Context(), person(1), ""); r.Code != 190 {
		t.Errorf("fault: %+v", r)
	}
	if m.control(t, "POST", "/sandbox/reset", "{}", nil) != 200 || len(m.Entries(0, 1)) != 0 || m.sendAs(t, token.Raw(), pnid).Code != 190 {
		t.Error("reset left something")
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	ctx := t.Context()
	n, err := m.client.GetPhoneNumber(ctx, token, pnid, "")
	if err != nil || n.Status != "CONNECTED" || n.Quality != "GREEN" || n.Throughput != "HIGH" || n.MessagingLimit != "TIER_2K" || n.Health.CanSend != "AVAILABLE" {
		t.Errorf("%+v %v", n, err)
	}
	if n, err = m.client.GetPhoneNumber(ctx, token, pnid, "quality_rating"); err != nil || n.ID != pnid || n.Quality != "GREEN" || n.Status != "" {
		t.Errorf("fields are not honoured: %+v %v", n, err)
	}
	if _, err = m.client.GetPhoneNumber(ctx, token, pnid, "nonsense"); err == nil || err.(*whatsapp.Error).Code != 100 {
		t.Errorf("%v", err)
	}
	if err := m.SetNumber(sandbox.NumberChange{NumberID: pnid, Quality: "RED"}); err != nil {
		t.Fatal(err)
	}
	list, err := m.client.ListPhoneNumbers(ctx, token, waba)
	if err != nil || len(list) != 1 || list[0].Quality != "RED" || list[0].Health.CanSend != "LIMITED" {
		t.Errorf("%+v %v", list, err)
	}
	w, err := m.client.GetWABA(ctx, token, waba)
	if err != nil || w.PortfolioID != portfolio || w.MessagingLimit != "TIER_2K" || w.ReviewStatus != "APPROVED" {
		t.Errorf("%+v %v", w, err)
	}
	p, err := m.client.GetPortfolio(ctx, token, portfolio)
	if err != nil || p.Name != "Acme" || p.MessagingLimit != "TIER_2K" {
		t.Errorf("%+v %v", p, err)
	}
	if h, err := m.client.HealthStatus(ctx, token, waba); err != nil || h.CanSend != "AVAILABLE" {
		t.Errorf("%+v %v", h, err)
	}
	if info, err := m.client.DebugToken(ctx, token, "tok-revoked"); err != nil || info.Valid || info.Code != 190 {
		t.Errorf("%+v %v", info, err)
	}
	if info, err := m.client.DebugToken(ctx, token, token); err != nil || !info.Valid || len(info.Scopes) != 2 || info.AppID != appID {
		t.Errorf("%+v %v", info, err)
	}
	if _, err := m.client.GetBusinessProfile(ctx, token, pnid); err != nil {
		t.Error(err)
	}
	if err := m.client.SubscribeApp(ctx, token, waba, whatsapp.Subscription{}); err != nil {
		t.Error(err)
	}
	if apps, err := m.client.GetSubscribedApps(ctx, token, waba); err != nil || len(apps) != 1 || apps[0].ID != appID {
		t.Errorf("%+v %v", apps, err)
	}
	if _, err := m.client.GetWABA(ctx, "tok-other", waba); err == nil || err.(*whatsapp.Error).Code != 200 {
		t.Errorf("%v", err)
	}
}

func TestTemplatePagingAndStaleCursor(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	var names []string
	after := ""
	for {
		page, err := m.client.ListTemplates(t.Context(), token, waba, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, tpl := range page.Templates {
			names = append(names, tpl.Name)
			if len(tpl.Components) == 0 || tpl.Quality == "" || tpl.Status == "" {
				t.Errorf("%+v", tpl)
			}
		}
		if after = page.After; after == "" {
			break
		}
	}
	if strings.Join(names, " ") != "spring_offer plain named photo paused disabled pending" {
		t.Errorf("%v", names)
	}
	page, err := m.client.ListTemplates(t.Context(), token, waba, "", 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetTemplate(sandbox.TemplateChange{TemplateID: "900000000000302", Status: "PAUSED", Silent: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.client.ListTemplates(t.Context(), token, waba, page.After, 3); err == nil || err.(*whatsapp.Error).Code != whatsapp.CodeInvalidCursor {
		t.Errorf("%v", err)
	}
}

func TestSustains(t *testing.T) {
	t.Parallel()
	m := start(t, func(cfg *sandbox.Config, _ *sandbox.Scenario) { cfg.JournalPath = t.TempDir() + "/journal.jsonl" })
	if err := m.SetNumber(sandbox.NumberChange{NumberID: pnid, MPS: 1_000_000}); err != nil {
		t.Fatal(err)
	}
	const total, workers = 6000, 32
	begin := time.Now()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < total; i += workers {
				if r := m.send(t.Context(), person(i), callback(i, 1)); r.Outcome != whatsapp.Accepted {
					t.Errorf("%+v", r)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	m.inbox.until(func() bool { return m.Summary().Webhooks.Pending == 0 })
	s := m.Summary()
	t.Logf("%.0f messages a second, all webhooks after %v, %d posts", total/took.Seconds(), time.Since(begin), s.Webhooks.Posts)
	if s.Accepted != total || s.DuplicateOrdinals+s.DuplicateRecipients != 0 || s.Statuses["sent"] != total {
		t.Errorf("%+v", s)
	}
}
