package campaigns_test

import (
	"testing"

	"bareed/campaigns"
	"bareed/messages"
	"bareed/whatsapp/codes"
)

// A code of Meta's is told in the caller's language wherever it stands, and what
// is none is left alone.
func TestCodesInWords(t *testing.T) {
	t.Parallel()
	payment := 131042
	r := campaigns.Report{
		Stops:    []campaigns.Stop{{Reason: "payment_problem", MetaCode: &payment}, {Reason: "paused"}, {Reason: "refused_in_a_row", MetaCode: &payment}},
		Failures: []campaigns.FailedBy{{Reason: "meta_131026", People: 3}, {Reason: "render", People: 1}, {Reason: "meta_0", People: 1}},
	}
	for _, lang := range []string{"en", "ar"} {
		r.Tell(lang)
		if got, want := *r.Stops[0].MetaError, codes.Tell(lang, payment, false); got != want || got.Retried != codes.AfterStop || got.Cause == "" {
			t.Errorf("%s: the stop says %+v", lang, got)
		}
		if got := r.Stops[2].MetaError; got.Retried != codes.Never {
			t.Errorf("%s: what failed is sent again %s", lang, got.Retried)
		}
		if got, want := *r.Failures[0].MetaError, codes.Tell(lang, 131026, true); got != want {
			t.Errorf("%s: the failures say %+v", lang, got)
		}
		if got := *r.Failures[2].MetaError; got.Title != "" || got.Cause == codes.Tell(lang, 0, false).Cause {
			t.Errorf("%s: a failure without a code speaks of the token: %+v", lang, got)
		}
	}
	if r.Stops[1].MetaError != nil || r.Failures[1].MetaError != nil {
		t.Error("a reason that is no code is told as one")
	}
	for _, tt := range []struct {
		state   messages.State
		reason  string
		code    int
		retried codes.Retried // empty: nothing is told
	}{
		{messages.Failed, "meta_131049", 131049, codes.NotThisMessage},
		{messages.Failed, "render", 0, ""},
		{messages.Ready, "", 130429, codes.ByItself},
		{messages.Unknown, "", 131016, codes.WhenProven},
		{messages.Ready, "", 0, ""},
		{messages.Delivered, "", 131056, ""}, // it arrived in the end
		{messages.Suppressed, "opted_out", 0, ""},
	} {
		l := campaigns.Timeline{Recipient: campaigns.Recipient{State: tt.state, Reason: tt.reason, MetaCode: tt.code},
			Attempts: []campaigns.Attempt{{MetaCode: 130429}, {}}}
		l.Tell("ar")
		switch got := l.MetaError; {
		case (got != nil) != (tt.retried != ""):
			t.Errorf("%s %s: told %+v", tt.state, tt.reason, got)
		case got != nil && got.Retried != tt.retried:
			t.Errorf("%s %s: sent again %s, want %s", tt.state, tt.reason, got.Retried, tt.retried)
		}
		if l.Attempts[0].MetaError == nil || l.Attempts[0].MetaError.Retried != codes.ByItself || l.Attempts[1].MetaError != nil {
			t.Errorf("attempts: %+v", l.Attempts)
		}
	}
}
