package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"bareed/whatsapp"
)

// By the Marketing Messages API only the address and two fields differ; the second
// is said aloud also when it is false.
func TestSendMarketing(t *testing.T) {
	t.Parallel()
	var path string
	var body map[string]any
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		path, body = r.URL.Path, nil
		raw, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(raw, &body)
		fmt.Fprint(w, `{"messages":[{"id":"wamid.1"}]}`)
	}, nil)
	send(t, c)
	usual := body
	for _, way := range []whatsapp.Marketing{{Policy: whatsapp.PolicyFallback}, {Policy: whatsapp.PolicyStrict, Sharing: true}} {
		m := hello()
		m.Marketing = &way
		if r := c.SendTemplate(t.Context(), "tok", "900000000000101", m); r.Outcome != whatsapp.Accepted {
			t.Errorf("%+v: %+v", way, r)
		}
		if path != "/v25.0/900000000000101/marketing_messages" || body["product_policy"] != way.Policy || body["message_activity_sharing"] != way.Sharing {
			t.Errorf("%+v: %s %v", way, path, body)
		}
		delete(body, "product_policy")
		delete(body, "message_activity_sharing")
		if fmt.Sprint(body) != fmt.Sprint(usual) {
			t.Errorf("beside them\n got %v\nwant %v", body, usual)
		}
	}
	m := hello()
	m.Marketing = &whatsapp.Marketing{Policy: "SOMETIMES"}
	if r := c.SendTemplate(t.Context(), "tok", "900000000000101", m); r.Code != whatsapp.CodeInvalidBeforeSend {
		t.Errorf("a policy nobody knows left: %+v", r)
	}
}

// What the account says of its two ways; a version of the Graph API that does not
// know the fields refuses them, and is asked again without.
func TestAccountsSetUp(t *testing.T) {
	t.Parallel()
	const rest = `"id":"1","name":"Acme"`
	told := func(b bool) *bool { return &b }
	for _, tc := range []struct {
		fields string
		status string
		cloud  *bool
	}{
		{`,"marketing_messages_onboarding_status":"ONBOARDED","disable_marketing_messages_on_cloud_api":true`, "ONBOARDED", told(false)},
		{`,"marketing_messages_onboarding_status":"ELIGIBLE","disable_marketing_messages_on_cloud_api":"false"`, "ELIGIBLE", told(true)},
		{``, "", nil},
		{`,"marketing_messages_onboarding_status":null,"disable_marketing_messages_on_cloud_api":{}`, "", nil},
		{`,"marketing_messages_onboarding_status":"` + strings.Repeat("X", 5000) + `"`, "", nil},
	} {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{`+rest+tc.fields+`}`) }, nil)
		w, err := c.GetWABA(t.Context(), "tok", "1")
		if err != nil || w.Name != "Acme" || w.MarketingStatus != tc.status || (w.CloudMarketing == nil) != (tc.cloud == nil) || tc.cloud != nil && *w.CloudMarketing != *tc.cloud {
			t.Errorf("%.90s: %+v, %v", tc.fields, w, err)
		}
	}
	asked := 0
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; strings.Contains(r.URL.Query().Get("fields"), "onboarding_status") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"message":"(#100) Tried accessing nonexisting field","code":100}}`)
			return
		}
		fmt.Fprint(w, `{`+rest+`}`)
	}, nil)
	if w, err := c.GetWABA(t.Context(), "tok", "1"); err != nil || w.Name != "Acme" || w.MarketingStatus != "" || w.CloudMarketing != nil || asked != 2 {
		t.Errorf("an older version: %+v, %v, asked %d times", w, err, asked)
	}
}
