package transport_test

import (
	"strings"
	"testing"

	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/numbers/onboarding"
)

func marketing(policy string, sharing bool) transport.Choice {
	return transport.Choice{Transport: transport.MarketingMessages, ProductPolicy: policy, ActivitySharing: sharing}
}

func said(list []*errs.Error) string {
	var all []string
	for _, e := range list {
		all = append(all, e.Code+" "+e.Fields[0].Pointer)
	}
	return strings.Join(all, ", ")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	cloud := transport.Choice{Transport: transport.Cloud}
	for _, tc := range []struct {
		choice   transport.Choice
		category string
		want     string
	}{
		{cloud, "MARKETING", ""}, {cloud, "UTILITY", ""}, {cloud, "", ""},
		{marketing(transport.Fallback, false), "MARKETING", ""}, {marketing(transport.Strict, true), "marketing", ""},
		{marketing(transport.Strict, true), "", ""}, // the template's fault is another
		{marketing(transport.Fallback, false), "UTILITY", "campaign.transport_category /transport"},
		{marketing(transport.Fallback, false), "AUTHENTICATION", "campaign.transport_category /transport"},
		{marketing("SOMETIMES", false), "MARKETING", "campaign.product_policy /product_policy"},
		{marketing("strict", false), "UTILITY", "campaign.product_policy /product_policy, campaign.transport_category /transport"},
		{transport.Choice{Transport: "carrier_pigeon", ActivitySharing: true}, "UTILITY", "campaign.transport /transport"},
		{transport.Choice{Transport: "Cloud"}, "MARKETING", "campaign.transport /transport"},
		{transport.Choice{Transport: transport.Cloud, ProductPolicy: transport.Strict, ActivitySharing: true}, "MARKETING",
			"campaign.product_policy /product_policy, campaign.activity_sharing /activity_sharing"},
	} {
		if got := said(tc.choice.Check(tc.category)); got != tc.want {
			t.Errorf("%+v with %s: %q, want %q", tc.choice, tc.category, got, tc.want)
		}
	}
}

// What keeps an account from a way, as far as Meta has told; what it has not told
// warns and refuses nothing.
func TestLacks(t *testing.T) {
	t.Parallel()
	cloud, way := transport.Choice{Transport: transport.Cloud}, marketing(transport.Fallback, false)
	for _, tc := range []struct {
		choice   transport.Choice
		account  onboarding.Account
		category string
		want     string
		unsure   bool
	}{
		{cloud, onboarding.Account{}, "MARKETING", "", false},
		{cloud, onboarding.Account{Status: "ELIGIBLE"}, "MARKETING", "", false},
		{cloud, onboarding.Account{CloudOff: true}, "MARKETING", "campaign.cloud_marketing_off", false},
		{cloud, onboarding.Account{CloudOff: true}, "UTILITY", "", false},
		{way, onboarding.Account{Status: "ONBOARDED", CloudOff: true}, "MARKETING", "", false},
		{way, onboarding.Account{Status: "ONBOARDED"}, "UTILITY", "campaign.transport_category", false},
		{way, onboarding.Account{Status: "ELIGIBLE"}, "MARKETING", "campaign.not_onboarded", false},
		{way, onboarding.Account{Status: "PENDING_INTERNAL_SETUP"}, "MARKETING", "campaign.not_onboarded", false},
		{way, onboarding.Account{Status: "INELIGIBLE_COUNTRY_NOT_SUPPORTED"}, "MARKETING", "campaign.ineligible", false},
		{way, onboarding.Account{}, "MARKETING", "", true},
	} {
		code := ""
		if e := tc.choice.Lacks(tc.account, tc.category); e != nil {
			code = e.Code
			for _, lang := range []string{"en", "ar"} {
				if text := errs.Sentence(lang, e.Code, e.Params); text == "" || strings.ContainsAny(text, "{}") {
					t.Errorf("%s in %s: %q", code, lang, text)
				}
			}
		}
		if unsure := tc.choice.Unsure(tc.account) != ""; code != tc.want || unsure != tc.unsure {
			t.Errorf("%+v of %+v with %s: %q unsure %v, want %q %v", tc.choice, tc.account, tc.category, code, unsure, tc.want, tc.unsure)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	yes, no := true, false
	for _, tc := range []struct {
		is, want transport.Choice
		change   transport.Change
	}{
		{transport.Choice{}, transport.Choice{Transport: transport.Cloud}, transport.Change{}},
		{transport.Choice{Transport: transport.Cloud}, marketing(transport.Fallback, false), transport.Change{Transport: text("marketing_messages")}},
		{transport.Choice{Transport: transport.Cloud}, marketing(transport.Strict, true),
			transport.Change{Transport: text("marketing_messages"), ProductPolicy: text("STRICT"), ActivitySharing: &yes}},
		{marketing(transport.Strict, true), marketing(transport.Strict, true), transport.Change{}},
		{marketing(transport.Strict, true), marketing(transport.Strict, true), transport.Change{Transport: text("marketing_messages")}},
		{marketing(transport.Strict, true), marketing(transport.Fallback, true), transport.Change{ProductPolicy: text("")}},
		{marketing(transport.Strict, true), marketing(transport.Strict, false), transport.Change{ActivitySharing: &no}},
		{marketing(transport.Strict, true), transport.Choice{Transport: transport.Cloud}, transport.Change{Transport: text("cloud")}},
		{marketing(transport.Strict, true), transport.Choice{Transport: transport.Cloud}, transport.Change{Transport: text("")}},
		{marketing(transport.Strict, true), transport.Choice{Transport: transport.Cloud, ProductPolicy: transport.Strict},
			transport.Change{Transport: text("cloud"), ProductPolicy: text("STRICT")}}, // Check refuses it
	} {
		if got := tc.change.Apply(tc.is); got != tc.want {
			t.Errorf("%+v: %+v, want %+v", tc.is, got, tc.want)
		}
	}
}
