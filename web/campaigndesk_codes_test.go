package web_test

import (
	"html/template"
	"testing"

	"bareed/accounts"
	"bareed/messages"
	"bareed/whatsapp/codes"
)

// A stop that a code of Meta's opened says the code, its cause, what to do and
// whether the messages go on, and the report the same of each failure; in the
// reader's language.
func TestCodesInWords(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	payment, media := 131042, 131053
	s.hold(t, messages.Opening{Scope: messages.ScopeWABA, ScopeID: s.b.WABA, Reason: "payment_problem", ByRule: true, Code: &payment,
		Threshold: "the first such answer", Measured: codes.Classify(payment).Title, By: "system:answer"})
	s.hold(t, messages.Opening{Scope: messages.ScopeCampaign, ScopeID: s.campaign, Reason: "meta_131053", ByRule: true, Code: &media, By: "system:answer"})
	b := s.as(t, accounts.Owner)
	for _, lang := range []string{"en", "ar"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		page := b.get(s.path(""))
		for _, code := range []int{payment, media} {
			told := codes.Tell(lang, code, false)
			page.has(t, 200, template.HTMLEscapeString(told.Title), template.HTMLEscapeString(told.Cause), template.HTMLEscapeString(told.Action), told.Retry)
		}
		told := codes.Tell(lang, 131049, true)
		b.get(s.path("/report")).has(t, 200, ">131049<", template.HTMLEscapeString(told.Title), template.HTMLEscapeString(told.Cause), template.HTMLEscapeString(told.Action), told.Retry)
		b.get(s.message(5)).has(t, 200, template.HTMLEscapeString(told.Cause), template.HTMLEscapeString(told.Action), told.Retry)
	}
}
