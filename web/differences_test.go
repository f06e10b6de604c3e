package web_test

import (
	"html/template"
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/campaigns/plan"
	"bareed/messages"
	"bareed/whatsapp/codes"
)

// The page of differences in both languages, with a bounded number of statements:
// before a launch, with some of each kind, and with none.
func TestDifferencesPage(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	b := s.as(t, accounts.Owner)
	before := "/campaigns/" + s.draft.String() + "/differences"
	for lang, texts := range map[string][]string{
		"en": {"Opted out", "They opted out after the check.", "Would get it", ">131049<", "It failed: " + template.HTMLEscapeString(codes.Tell("en", 131049, true).Cause) + ".",
			"Meta has not answered, and no receipt has come yet.", "their turn has not come", "10 − 6 &#43; 0 = 4", "For 4 of 10 people it came as the check said.",
			"at_check=eligible&amp;in_run=opted_out", "not over"},
		"ar": {"ألغوا الاشتراك بعد الفحص.", "سيتلقونها", ">131049<", "لم يحن دورهم", "10 − 6 &#43; 0 = 4"},
	} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		had := s.counted.n.Load()
		p := b.get(s.path("/differences")).has(t, 200, texts...)
		if n := s.counted.n.Load() - had; n > 16 {
			t.Errorf("%d statements", n)
		}
		examine(t, "differences", lang, p)
		examine(t, "differences before", lang, b.get(before).has(t, 200))
		b.get(s.path("/report")).has(t, 200, s.path("/differences"))
	}
	b.post("/language", "language", "en", "back", "/").to(t, "/")
	b.get(before).has(t, 200, "Nothing to compare before the launch.")
	b.get(before+"/rows.csv").has(t, 409)
	s.b.Do(t, `update message set state = 'read', reason = null where run_id = $1`, s.run)
	p := b.get(s.path("/differences")).has(t, 200, "Everybody got what the check said", "10 − 0 &#43; 0 = 10")
	if strings.Contains(p.Body, "rows.csv") {
		t.Error("an empty file is offered")
	}
}

// Who may not see phone numbers does not get them in the file.
func TestDifferencesFile(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	path := s.path("/differences/rows.csv")
	if p := s.as(t, accounts.Owner).get(path).has(t, 200, ",eligible,meta_131049,131049\n", "+9665"); strings.Count(p.Body, "\n") != 7 || !strings.Contains(p.Header.Get("Content-Disposition"), "-differences.csv") {
		t.Errorf("%v %s", p.Header, p.Body)
	}
	viewer := s.as(t, accounts.Viewer)
	if p := viewer.get(path+"?at_check=eligible&in_run=opted_out").has(t, 200, "•"); strings.Count(p.Body, "\n") != 2 {
		t.Errorf("a viewer gets %s", p.Body)
	}
	viewer.get(s.path("/differences")).has(t, 200, "Opted out")
}

// Every reason there is has its sentence, in both directions where there are two.
func TestEveryDifferenceHasItsSentence(t *testing.T) {
	t.Parallel()
	all := texts(t).ByLang["en"]
	check := []string{messages.NoOptIn, messages.OptedOut, messages.ConsentExpired, messages.ParamMissing, messages.NoAddress, messages.Deleted, plan.Blocked, plan.ParamNotSendable,
		plan.NotOnWhatsApp, plan.CountryBarred, plan.CountryBlocked, plan.USMarketing, plan.CoolingOff, plan.FrequencyCap}
	for _, reason := range append([]string{"other"}, check...) {
		for _, family := range []string{"differences.left.", "differences.back."} {
			if _, ok := all[family+reason]; !ok {
				t.Errorf("there is no text %s", family+reason)
			}
		}
	}
	for _, reason := range []string{messages.Expired, messages.Stopped, messages.Duplicate} {
		if _, ok := all["differences.left."+reason]; !ok {
			t.Errorf("there is no text differences.left.%s", reason)
		}
	}
}
