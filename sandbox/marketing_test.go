package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bareed/sandbox"
	"bareed/whatsapp"
)

// account sets the seed's account up, or takes that back.
func (m *meta) account(t *testing.T, status string, cloudOff bool) {
	t.Helper()
	err := m.Apply(sandbox.Seed{WABAs: []sandbox.WABA{{ID: waba, Name: "Acme", PortfolioID: portfolio, MarketingStatus: status, CloudMarketingOff: cloudOff}}})
	if err != nil {
		t.Fatal(err)
	}
}

// postTo is post to another edge.
func (m *meta) postTo(t *testing.T, edge, body string) (code int, details string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+"/v25.0/"+pnid+"/"+edge, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Raw())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc struct {
		Error struct {
			Code int
			Data struct{ Details string } `json:"error_data"`
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc.Error.Code, doc.Error.Data.Details
}

// The marketing edge is as strict as the other one, takes marketing templates of an
// account that is set up, and alone knows its two parameters.
func TestMarketingEdge(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	const head = `"messaging_product":"whatsapp","to":"+15550000001"`
	const plain = `"type":"template","template":{"name":"plain","language":{"code":"en_US"}}`
	const order = `"type":"template","template":{"name":"named","language":{"code":"ar"},"components":[{"type":"body","parameters":[{"type":"text","parameter_name":"order_id","text":"1"},{"type":"text","parameter_name":"customer","text":"x"}]}]}`
	for _, tc := range []struct {
		status   string
		cloudOff bool
		edge     string
		body     string
		code     int
	}{
		{"ONBOARDED", false, "marketing_messages", head + `,` + plain, 0},
		{"ONBOARDED", false, "marketing_messages", head + `,` + plain + `,"product_policy":"STRICT","message_activity_sharing":false`, 0},
		{"ONBOARDED", true, "marketing_messages", head + `,` + plain + `,"product_policy":"CLOUD_API_FALLBACK","message_activity_sharing":true`, 0},
		{"ONBOARDED", false, "marketing_messages", head + `,` + plain + `,"product_policy":"SOMETIMES"`, 100},
		{"ONBOARDED", false, "marketing_messages", head + `,` + plain + `,"message_activity_sharing":"yes"`, 100},
		{"ONBOARDED", false, "marketing_messages", head + `,` + plain + `,"product_polizy":"STRICT"`, 100},
		{"ONBOARDED", false, "marketing_messages", head + `,"type":"text","text":{"body":"hi"}`, 100},
		{"ONBOARDED", false, "marketing_messages", strings.Replace(head, "+", "", 1) + `,` + plain, 131009},
		{"ONBOARDED", false, "marketing_messages", head + `,"type":"template","template":{"name":"nothing","language":{"code":"en_US"}}`, 132001},
		{"ONBOARDED", false, "marketing_messages", head + `,` + order, 134100},
		{"ELIGIBLE", false, "marketing_messages", head + `,` + order, 134100},
		{"", false, "marketing_messages", head + `,` + plain, 134102}, // as an account is when nobody says otherwise
		{"ELIGIBLE", false, "messages", head + `,` + plain, 0},
		{"ELIGIBLE", false, "messages", head + `,` + plain + `,"product_policy":"STRICT"`, 100},
		{"ELIGIBLE", false, "messages", head + `,` + plain + `,"message_activity_sharing":false`, 100},
		{"ELIGIBLE", true, "messages", head + `,` + plain, 131063},
		{"ELIGIBLE", true, "messages", head + `,` + order, 0},
	} {
		m.account(t, tc.status, tc.cloudOff)
		if code, details := m.postTo(t, tc.edge, "{"+tc.body+"}"); code != tc.code {
			t.Errorf("%s off %v, %s %s: %d %s, want %d", tc.status, tc.cloudOff, tc.edge, tc.body, code, details, tc.code)
		}
	}
	if code, _ := m.postTo(t, "marketing_messages/x", "{}"); code != 100 {
		t.Errorf("a path that does not exist: %d", code)
	}
	w, err := m.client.GetWABA(t.Context(), token, waba)
	if err != nil || w.MarketingStatus != "ELIGIBLE" || w.CloudMarketing == nil || *w.CloudMarketing {
		t.Errorf("the account is read as %+v, %v", w, err)
	}
}

// Statuses name Meta's category of the way: what fell back to the Cloud API is
// priced as marketing, and what may not fall back is refused.
func TestMarketingIsPricedByItsWay(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.account(t, "ONBOARDED", false)
	ordinal := 0
	send := func(way *whatsapp.Marketing, fault *sandbox.Fault) whatsapp.SendResult {
		ordinal++
		if fault != nil {
			if _, err := m.AddFault(*fault); err != nil {
				t.Fatal(err)
			}
		}
		return m.client.SendTemplate(t.Context(), token, pnid, whatsapp.TemplateMessage{To: whatsapp.To{Phone: person(ordinal)},
			Name: "plain", Language: "en_US", CallbackData: callback(ordinal, 1), Marketing: way})
	}
	fallback := &sandbox.Fault{Kind: sandbox.KindFallback, Count: 1}
	loose, strict := &whatsapp.Marketing{Policy: whatsapp.PolicyFallback}, &whatsapp.Marketing{Policy: whatsapp.PolicyStrict, Sharing: true}
	want := map[string]string{}
	for _, tc := range []struct {
		way      *whatsapp.Marketing
		fault    *sandbox.Fault
		code     int
		category string
	}{
		{nil, nil, 0, "marketing"}, {loose, nil, 0, "marketing_lite"}, {strict, nil, 0, "marketing_lite"},
		{loose, fallback, 0, "marketing"}, {nil, fallback, 0, "marketing"}, {strict, fallback, 134102, ""},
		{strict, &sandbox.Fault{Kind: sandbox.KindFallback, Count: 1, Code: 131009}, 131009, ""},
		{loose, &sandbox.Fault{Kind: sandbox.KindRefuse, Code: 134103, Count: 1}, 134103, ""},
	} {
		r := send(tc.way, tc.fault)
		if r.Code != tc.code || (tc.code == 0) != (r.Outcome == whatsapp.Accepted) {
			t.Errorf("%+v, %+v: %+v", tc.way, tc.fault, r)
		}
		if tc.code == 0 {
			want[callback(ordinal, 1)] = tc.category
		}
	}
	m.inbox.until(func() bool { return m.inbox.count("delivered") == len(want) })
	for _, s := range m.inbox.statuses() {
		if s.Kind == whatsapp.KindDelivered && (s.Pricing == nil || s.Pricing.Category != want[s.CallbackData]) {
			t.Errorf("%s: %+v, want %s", s.CallbackData, s.Pricing, want[s.CallbackData])
		}
	}
	var policies []string
	for _, e := range m.Entries(0, 100) {
		policies = append(policies, strings.TrimSpace(fmt.Sprint(e.Endpoint, " ", e.ProductPolicy, " ", e.ActivitySharing)))
	}
	if got := strings.Join(policies[:3], ", "); got != "messages  false, marketing_messages CLOUD_API_FALLBACK false, marketing_messages STRICT true" {
		t.Errorf("the journal has %s", got)
	}
}

// The judge knows one message, not two edges: accepted once at each, it was
// accepted twice.
func TestBothEdgesAreOneForTheJudge(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.account(t, "ONBOARDED", false)
	m.send(t.Context(), person(1), callback(1, 1))
	message := whatsapp.TemplateMessage{To: whatsapp.To{Phone: person(1)}, Name: "plain", Language: "en_US", CallbackData: callback(1, 2),
		Marketing: &whatsapp.Marketing{Policy: whatsapp.PolicyStrict}}
	m.client.SendTemplate(t.Context(), token, pnid, message)
	s := m.Summary()
	if s.DuplicateOrdinals != 1 || s.DuplicateRecipients != 1 || s.ByEndpoint["messages"] != 1 || s.ByEndpoint["marketing_messages"] != 1 {
		t.Errorf("%+v", s)
	}
	if d := s.Duplicates[0]; d.First != 1 || d.Second != 2 {
		t.Errorf("%+v", d)
	}
}
