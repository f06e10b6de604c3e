package whatsapp_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"bareed/whatsapp"
)

const (
	wabaID = "900000000000001"
	pnid   = "900000000000101"
	phone  = "15550107777"
	user   = "US.90000000000000000001"
	first  = whatsapp.WAMID("wamid.FIXTURE0001")
)

var (
	at       = time.Unix(1798761600, 0).UTC()
	spring   = whatsapp.TemplateRef{ID: "900000000000301", Name: "spring_offer", Language: "en_US"}
	ours     = "15550100101"
	contacts = []whatsapp.Contact{{WaID: phone, UserID: user, Name: "Sample Person"}}
)

func ptr(n int) *int { return &n }

func messages(m whatsapp.Messages) whatsapp.Messages {
	m.PhoneNumberID, m.DisplayPhone = pnid, ours
	return m
}

func status(kind, model, category string, billable bool) whatsapp.Messages {
	s := whatsapp.Status{ID: first, Kind: kind, At: at, RecipientID: phone, RecipientUserID: user, CallbackData: "c=17;r=4711;a=1"}
	if model != "" {
		s.Pricing = &whatsapp.Pricing{Billable: billable, Model: "PMP", Type: model, Category: category}
	}
	return messages(whatsapp.Messages{Contacts: contacts, Statuses: []whatsapp.Status{s}})
}

func failed(code int) whatsapp.Messages {
	return messages(whatsapp.Messages{Statuses: []whatsapp.Status{{
		ID: first, Kind: "failed", At: at, RecipientID: phone, CallbackData: "c=17;r=4711;a=1",
		Errors: []whatsapp.StatusError{{Code: code, Class: whatsapp.ClassifyStatus(code)}},
	}}})
}

func inbound(id string, in whatsapp.Inbound) whatsapp.Messages {
	in.ID, in.At = whatsapp.WAMID(id), at
	if in.From == "" && in.FromUserID == "" {
		in.From = phone
	}
	return messages(whatsapp.Messages{Contacts: contacts, Inbound: []whatsapp.Inbound{in}})
}

func bsuidOnly(m whatsapp.Messages) whatsapp.Messages {
	m.Contacts = []whatsapp.Contact{{UserID: user, Name: "Sample Person", Username: "sample.person"}}
	return m
}

func template(event, detail, reason string) whatsapp.TemplateStatus {
	return whatsapp.TemplateStatus{TemplateRef: spring, Event: event, Category: "MARKETING", Detail: detail, Reason: reason}
}

func preference(value, signup string) whatsapp.UserPreferences {
	return whatsapp.UserPreferences{PhoneNumberID: pnid, Contacts: contacts, Preferences: []whatsapp.Preference{
		{WaID: phone, UserID: user, Category: "marketing_messages", Value: value, SignupID: signup, At: at},
	}}
}

func update(u whatsapp.AccountUpdate) whatsapp.AccountUpdate {
	u.WABAID = wabaID
	return u
}

func alert(kind, severity string) whatsapp.AccountAlert {
	return whatsapp.AccountAlert{EntityType: "BUSINESS", EntityID: "900000000000900", Severity: severity, Status: "ACTIVE", Type: "INCREASED_CAPABILITIES_ELIGIBILITY_" + kind}
}

func fixtures() map[string][]whatsapp.Value {
	jan := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	ban := func(state string) whatsapp.AccountUpdate {
		return update(whatsapp.AccountUpdate{Event: "DISABLED_UPDATE", BanState: state, BanDate: jan})
	}
	restricted := func(second string, until int64) whatsapp.AccountUpdate {
		end := time.Unix(until, 0).UTC()
		return update(whatsapp.AccountUpdate{Event: "ACCOUNT_RESTRICTION", Restrictions: []whatsapp.Restriction{
			{Type: "RESTRICTED_BIZ_INITIATED_MESSAGING", Expires: end}, {Type: second, Expires: end}}})
	}
	entryPoint := status("sent", "free_entry_point", "referral_conversion", false)
	bsuid := bsuidOnly(status("delivered", "", "", false))
	bsuid.Statuses[0].RecipientID = ""
	batch := []whatsapp.Value{
		status("sent", "regular", "marketing", true), failed(131050), preference("stop", ""),
		template("PAUSED", "FIRST_PAUSE", ""), whatsapp.UnknownChange{},
	}
	one := func(v whatsapp.Value) []whatsapp.Value { return []whatsapp.Value{v} }
	quality := func(event, limit, old string) []whatsapp.Value {
		return one(whatsapp.NumberQuality{DisplayPhone: ours, Event: event, Limit: limit, OldLimit: old})
	}
	all := map[string][]whatsapp.Value{
		"account_alerts_deferred":                        one(alert("DEFERRED", "WARNING")),
		"account_alerts_failed":                          one(alert("FAILED", "CRITICAL")),
		"account_alerts_info":                            one(alert("NEED_MORE_INFO", "WARNING")),
		"account_review_update_approved":                 one(whatsapp.AccountReview{Decision: "APPROVED"}),
		"account_review_update_deferred":                 one(whatsapp.AccountReview{Decision: "DEFERRED"}),
		"account_review_update_pending":                  one(whatsapp.AccountReview{Decision: "PENDING"}),
		"account_review_update_rejected":                 one(whatsapp.AccountReview{Decision: "REJECTED"}),
		"account_update_deleted":                         one(update(whatsapp.AccountUpdate{Event: "ACCOUNT_DELETED"})),
		"account_update_disabled_disable":                one(ban("DISABLE")),
		"account_update_disabled_reinstate":              one(ban("REINSTATE")),
		"account_update_disabled_schedule_for_disable":   one(ban("SCHEDULE_FOR_DISABLE")),
		"account_update_mm_terms_signed":                 one(update(whatsapp.AccountUpdate{Event: "MM_LITE_TERMS_SIGNED", PortfolioID: "900000000000900"})),
		"account_update_offboarded":                      one(update(whatsapp.AccountUpdate{Event: "ACCOUNT_OFFBOARDED", PhoneNumber: ours})),
		"account_update_partner_app_uninstalled":         one(update(whatsapp.AccountUpdate{Event: "PARTNER_APP_UNINSTALLED", PortfolioID: "900000000000900", PartnerAppID: "900000000000800"})),
		"account_update_partner_removed":                 one(update(whatsapp.AccountUpdate{Event: "PARTNER_REMOVED", PortfolioID: "900000000000900"})),
		"account_update_reconnected":                     one(update(whatsapp.AccountUpdate{Event: "ACCOUNT_RECONNECTED", PhoneNumber: ours})),
		"account_update_restriction":                     one(restricted("RESTRICTED_ADD_PHONE_NUMBER_ACTION", 1799020800)),
		"account_update_restriction_all":                 one(restricted("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", 1799366400)),
		"account_update_violation":                       one(update(whatsapp.AccountUpdate{Event: "ACCOUNT_VIOLATION", ViolationType: "SCAM"})),
		"account_update_volume_tier":                     one(update(whatsapp.AccountUpdate{Event: "VOLUME_BASED_PRICING_TIER_UPDATE", VolumeTier: &whatsapp.VolumeTier{Category: "UTILITY", Region: "India", Tier: "100001:1000000", Month: "2027-01", At: at}})),
		"batch_mixed":                                    batch,
		"business_capability_update_int":                 one(whatsapp.Capability{Limit: 2000, HasLimit: true, MaxNumbersPerWABA: ptr(25)}),
		"business_capability_update_legacy":              one(whatsapp.Capability{Limit: 250, HasLimit: true, PerNumber: true, MaxNumbersPerBusiness: ptr(2)}),
		"business_capability_update_tier_string":         one(whatsapp.Capability{Limit: 10000, HasLimit: true, MaxNumbersPerWABA: ptr(25)}),
		"business_capability_update_unlimited_legacy":    one(whatsapp.Capability{Unlimited: true, HasLimit: true, PerNumber: true, MaxNumbersPerWABA: ptr(25)}),
		"inbound_button_quick_reply_stop":                one(inbound("wamid.IN0004", whatsapp.Inbound{From: phone, FromUserID: user, Type: "button", ButtonPayload: "STOP_PROMOS", ButtonText: "Stop promotions", ContextID: first})),
		"inbound_from_ctwa_ad":                           one(inbound("wamid.IN0008", whatsapp.Inbound{Type: "text", Text: "info?", FromAd: true})),
		"inbound_interactive_button_reply":               one(inbound("wamid.IN0005", whatsapp.Inbound{Type: "interactive", ReplyID: "yes", ReplyTitle: "Yes", ContextID: first})),
		"inbound_interactive_nfm_reply":                  one(inbound("wamid.IN0006", whatsapp.Inbound{Type: "interactive", ContextID: first})),
		"inbound_reaction":                               one(inbound("wamid.IN0007", whatsapp.Inbound{Type: "reaction", ReactionTo: first, Emoji: "👍"})),
		"inbound_text":                                   one(inbound("wamid.IN0001", whatsapp.Inbound{From: phone, FromUserID: user, Type: "text", Text: "hello"})),
		"inbound_text_bsuid_only":                        one(bsuidOnly(inbound("wamid.IN0003", whatsapp.Inbound{FromUserID: user, Type: "text", Text: "hi"}))),
		"inbound_text_stop":                              one(inbound("wamid.IN0002", whatsapp.Inbound{From: phone, FromUserID: user, Type: "text", Text: "STOP"})),
		"inbound_unsupported":                            one(inbound("wamid.IN0009", whatsapp.Inbound{Type: "unsupported", Errors: []whatsapp.StatusError{{Code: 131051, Class: whatsapp.ClassifyStatus(131051)}}})),
		"phone_number_name_update_approved":              one(whatsapp.NumberName{DisplayPhone: ours, Decision: "APPROVED", RequestedName: "Acme"}),
		"phone_number_quality_update_legacy_downgrade":   quality("DOWNGRADE", "TIER_10K", "TIER_100K"),
		"phone_number_quality_update_legacy_flagged":     quality("FLAGGED", "TIER_10K", ""),
		"phone_number_quality_update_legacy_unflagged":   quality("UNFLAGGED", "TIER_10K", ""),
		"phone_number_quality_update_onboarding":         quality("ONBOARDING", "TIER_250", ""),
		"phone_number_quality_update_throughput_upgrade": quality("THROUGHPUT_UPGRADE", "", ""),
		"security_pin_reset_request":                     one(whatsapp.Security{DisplayPhone: ours, Event: "PIN_RESET_REQUEST", Requester: "900000000000700"}),
		"status_delivered_bsuid_only":                    one(bsuid),
		"status_delivered_marketing":                     one(status("delivered", "regular", "marketing", true)),
		"status_played":                                  one(status("played", "", "", false)),
		"status_read_no_pricing":                         one(status("read", "", "", false)),
		"status_sent_free_entry_point":                   one(entryPoint),
		"status_sent_marketing":                          one(status("sent", "regular", "marketing", true)),
		"status_sent_marketing_lite":                     one(status("sent", "regular", "marketing_lite", true)),
		"status_sent_service_after_2026_10":              one(status("sent", "regular", "service", true)),
		"status_sent_utility_in_window_after_2026_10":    one(status("sent", "regular", "utility", true)),
		"status_sent_utility_in_window_before_2026_10":   one(status("sent", "free_customer_service", "utility", false)),
		"system_user_changed_number": one(messages(whatsapp.Messages{Inbound: []whatsapp.Inbound{{ID: "wamid.IN0010", From: phone, At: at, Type: "system",
			System: &whatsapp.System{Type: "user_changed_number", NewWaID: "15550108888", NewUserID: "US.90000000000000000002"}}}})),
		"template_category_done":            one(whatsapp.TemplateCategory{TemplateRef: spring, Previous: "UTILITY", Current: "MARKETING", To: "MARKETING"}),
		"template_category_impending":       one(whatsapp.TemplateCategory{TemplateRef: spring, Impending: true, Current: "UTILITY", To: "MARKETING", At: time.Unix(1798848000, 0).UTC()}),
		"template_components_update":        one(whatsapp.TemplateComponents{TemplateRef: spring, Header: "Hi", Body: "Body {{1}} end.", Footer: "Foot"}),
		"template_quality_red":              one(whatsapp.TemplateQuality{TemplateRef: spring, Previous: "YELLOW", New: "RED"}),
		"template_quality_yellow":           one(whatsapp.TemplateQuality{TemplateRef: spring, Previous: "GREEN", New: "YELLOW"}),
		"template_quality_wrong_field_name": one(whatsapp.TemplateQuality{TemplateRef: spring, Previous: "GREEN", New: "YELLOW"}),
		"template_status_approved":          one(template("APPROVED", "", "")),
		"template_status_archived":          one(template("ARCHIVED", "", "")),
		"template_status_disabled":          one(template("DISABLED", "DISABLED", "")),
		"template_status_flagged":           one(template("FLAGGED", "", "")),
		"template_status_paused_first":      one(template("PAUSED", "FIRST_PAUSE", "")),
		"template_status_paused_lowercase":  one(template("PAUSED", "FIRST_PAUSE", "")),
		"template_status_paused_second":     one(template("PAUSED", "SECOND_PAUSE", "")),
		"template_status_pending_deletion":  one(template("PENDING_DELETION", "", "")),
		"template_status_rejected":          one(template("REJECTED", "", "INVALID_FORMAT")),
		"template_status_rejected_category": one(template("REJECTED", "", "INCORRECT_CATEGORY")),
		"template_status_unpaused":          one(template("APPROVED", "UNPAUSE", "")),
		"unknown_field":                     one(whatsapp.UnknownChange{}),
		"user_preferences_resume":           one(preference("resume", "")),
		"user_preferences_signup":           one(preference("signup", "77001")),
		"user_preferences_stop":             one(preference("stop", "")),
		"value_level_error":                 one(messages(whatsapp.Messages{Errors: []whatsapp.StatusError{{Code: 130429, Class: whatsapp.ClassifyStatus(130429)}}})),
	}
	for _, code := range []int{130429, 130472, 131026, 131042, 131047, 131048, 131049, 131050, 132015} {
		all["status_failed_"+itoa(code)] = one(failed(code))
	}
	return all
}

// bare removes raw JSON, which is compared by being there.
func bare(t *testing.T, v whatsapp.Value) whatsapp.Value {
	t.Helper()
	switch m := v.(type) {
	case whatsapp.Messages:
		for i := range m.Statuses {
			if (m.Statuses[i].PricingRaw != nil) != (m.Statuses[i].Pricing != nil) {
				t.Error("raw and typed pricing must come together")
			}
			m.Statuses[i].PricingRaw = nil
		}
		for i := range m.Inbound {
			if m.Inbound[i].Raw == nil {
				t.Error("inbound message without its raw form")
			}
			m.Inbound[i].Raw = nil
		}
		return m
	case whatsapp.TemplateComponents:
		m.Buttons = nil
		return m
	}
	return v
}

func TestParseWebhookFixtures(t *testing.T) {
	t.Parallel()
	want := fixtures()
	files, err := filepath.Glob("testdata/webhooks/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			env, err := whatsapp.ParseWebhook(raw)
			if err != nil {
				t.Fatal(err)
			}
			if env.Object != whatsapp.WebhookObject || env.Broken != 0 {
				t.Errorf("object %q, broken %d", env.Object, env.Broken)
			}
			expected, ok := want[name]
			if !ok || len(expected) != len(env.Changes) {
				t.Fatalf("%d changes, expected %d", len(env.Changes), len(expected))
			}
			for i, c := range env.Changes {
				if c.EntryID != wabaID || c.Field == "" || len(c.Raw) == 0 {
					t.Errorf("change %d: entry %q field %q raw %d bytes", i, c.EntryID, c.Field, len(c.Raw))
				}
				if got := bare(t, c.Value); !reflect.DeepEqual(got, expected[i]) {
					t.Errorf("change %d:\n got %#v\nwant %#v", i, got, expected[i])
				}
			}
		})
	}
	if len(files) != len(want) {
		t.Errorf("%d files, %d expectations", len(files), len(want))
	}
}

func TestParseWebhookTolerates(t *testing.T) {
	t.Parallel()
	const value = `{"metadata":{"phone_number_id":"1"},"statuses":[{"id":"w","status":"sent","timestamp":1798761600}]}`
	tests := map[string]struct {
		body             string
		changes, broken  int
		statuses, inside int
		field            string
	}{
		"field at entry":         {`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":` + value + `}],"field":"messages"}]}`, 1, 0, 1, 0, "messages"},
		"field inside value":     {`{"entry":[{"id":"1","changes":[{"value":{"field":"messages","statuses":[{"id":"w","status":"sent"}]}}]}]}`, 1, 0, 1, 0, "messages"},
		"no field at all":        {`{"entry":[{"id":"1","changes":[{"value":` + value + `}]}]}`, 1, 0, 1, 0, ""},
		"value without changes":  {`{"object":"x","entry":[{"id":"1","field":"messages","value":` + value + `}]}`, 1, 0, 1, 0, "messages"},
		"entry is an object":     {`{"entry":{"id":1,"changes":{"field":"messages","value":` + value + `}}}`, 1, 0, 1, 0, "messages"},
		"no envelope":            {`{"id":"1","changes":[{"field":"messages","value":` + value + `}]}`, 1, 0, 1, 0, "messages"},
		"bad entries among good": {`{"entry":[null,7,"x",{"id":"1","changes":[3,{"field":"messages","value":` + value + `}]}]}`, 1, 4, 1, 0, "messages"},
		"bad statuses among good": {`{"entry":[{"id":"1","changes":[{"field":"messages","value":{"statuses":[5,null,{"id":7},{"status":"sent"},{"id":"w","status":"sent","errors":7,"pricing":"x","timestamp":{}}]}}]}]}`,
			1, 0, 1, 4, "messages"},
		"value is a number": {`{"entry":[{"id":"1","changes":[{"field":"messages","value":3}]}]}`, 1, 0, 0, 0, "messages"},
		"nothing in it":     {`{}`, 0, 0, 0, 0, ""},
		"bad capability":    {`{"entry":[{"changes":[{"field":"business_capability_update","value":{"max_daily_conversations_per_business":{}}}]}]}`, 1, 0, 0, 0, "business_capability_update"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, err := whatsapp.ParseWebhook([]byte(tc.body))
			if err != nil || len(env.Changes) != tc.changes || env.Broken != tc.broken {
				t.Fatalf("changes %d broken %d err %v", len(env.Changes), env.Broken, err)
			}
			if tc.changes == 0 {
				return
			}
			if env.Changes[0].Field != tc.field {
				t.Errorf("field %q", env.Changes[0].Field)
			}
			m, _ := env.Changes[0].Value.(whatsapp.Messages)
			if len(m.Statuses) != tc.statuses || m.Broken != tc.inside {
				t.Errorf("statuses %d, broken %d", len(m.Statuses), m.Broken)
			}
		})
	}
	for _, body := range []string{"", "null", "[]", "7", `"x"`, "{", "<html>"} {
		if _, err := whatsapp.ParseWebhook([]byte(body)); err != whatsapp.ErrNotAWebhook {
			t.Errorf("%q: err %v", body, err)
		}
	}
}

func TestStatusTimestamps(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		at  time.Time
		bad bool
	}{
		`"1798761600"`: {at, false}, `1798761600`: {at, false}, `"abc"`: {time.Time{}, true}, `0`: {time.Time{}, true},
		`"-5"`: {time.Time{}, true}, `4102444800`: {time.Time{}, true}, `1798761600000`: {time.Time{}, true}, `null`: {time.Time{}, false},
		`""`: {time.Time{}, true}, `1.5`: {time.Time{}, true}, `{}`: {time.Time{}, true},
	}
	for text, tc := range tests {
		env, err := whatsapp.ParseWebhook([]byte(`{"entry":[{"changes":[{"field":"messages","value":{"statuses":[{"id":"w","status":"sent","timestamp":` + text + `}]}}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		s := env.Changes[0].Value.(whatsapp.Messages).Statuses[0]
		if !s.At.Equal(tc.at) || s.BadTime != tc.bad {
			t.Errorf("%s: %v bad %v", text, s.At, s.BadTime)
		}
	}
}

// What PostgreSQL cannot hold does not come out of a webhook, and costs it
// nothing else.
func TestStatusWithoutWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	env, err := whatsapp.ParseWebhook([]byte(`{"entry":[{"id":"1","changes":[{"field":"messages","value":{"statuses":[
		{"id":"wamid.\u0000A","biz_opaque_callback_data":"v1","status":"sent","recipient_id":"1\u0000","pricing":{"category":"mar\u0000"}}]}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	st := env.Changes[0].Value.(whatsapp.Messages).Statuses[0]
	if st.ID.Raw() != "" || st.RecipientID != "" || st.Kind != "sent" || st.PricingRaw != nil {
		t.Errorf("read as %q to %q, %s, priced %s", st.ID.Raw(), st.RecipientID, st.Kind, st.PricingRaw)
	}
}

func FuzzParseWebhook(f *testing.F) {
	files, _ := filepath.Glob("testdata/webhooks/*.json")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"entry":[{"changes":[{"field":"messages","value":{"statuses":[{"id":"w","status":"sent","timestamp":"abc"}]}}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := whatsapp.ParseWebhook(raw)
		if err != nil && len(env.Changes) != 0 {
			t.Error("changes beside an error")
		}
		for _, c := range env.Changes {
			if c.Value == nil {
				t.Error("change without a value")
			}
			m, ok := c.Value.(whatsapp.Messages)
			for _, s := range m.Statuses {
				if !ok || s.Kind == "" || s.BadTime && !s.At.IsZero() {
					t.Errorf("status %+v", s)
				}
			}
		}
	})
}
