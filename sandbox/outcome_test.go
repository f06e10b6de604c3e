package sandbox_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bareed/sandbox"
	"bareed/sandbox/journal"
	"bareed/whatsapp"
)

// The client against the sandbox, one row per way a request can end. accepted
// is what the journal says, whatever the client could see.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	refuse := func(code int) sandbox.Fault { return sandbox.Fault{Kind: sandbox.KindRefuse, Code: code} }
	kind := func(k string) sandbox.Fault { return sandbox.Fault{Kind: k} }
	tests := map[string]struct {
		fault    sandbox.Fault
		outcome  whatsapp.Outcome
		scope    whatsapp.Scope
		code     int
		accepted bool
	}{
		"130429":         {refuse(130429), whatsapp.RefusedForNow, whatsapp.ScopeNumber, 130429, false},
		"131056":         {refuse(131056), whatsapp.RefusedForNow, whatsapp.ScopeRecipient, 131056, false},
		"80007":          {refuse(80007), whatsapp.RefusedForNow, whatsapp.ScopeWABA, 80007, false},
		"131026":         {refuse(131026), whatsapp.RefusedForGood, whatsapp.ScopeRecipient, 131026, false},
		"131050":         {refuse(131050), whatsapp.RefusedForGood, whatsapp.ScopeRecipient, 131050, false},
		"unlisted":       {refuse(777777), whatsapp.RefusedForGood, whatsapp.ScopeMessage, 777777, false},
		"190":            {refuse(190), whatsapp.StopSending, whatsapp.ScopeWABA, 190, false},
		"131048":         {refuse(131048), whatsapp.StopSending, whatsapp.ScopeNumber, 131048, false},
		"132015":         {refuse(132015), whatsapp.StopSending, whatsapp.ScopeTemplate, 132015, false},
		"132000":         {refuse(132000), whatsapp.StopSending, whatsapp.ScopeCampaign, 132000, false},
		"131016":         {refuse(131016), whatsapp.Unknown, whatsapp.ScopeMessage, 131016, false},
		"131057":         {refuse(131057), whatsapp.Unknown, whatsapp.ScopeNumber, 131057, false},
		"HTML":           {kind(sandbox.KindHTML), whatsapp.Unknown, whatsapp.ScopeMessage, 0, false},
		"HTML accepted":  {kind(sandbox.KindHTMLAccept), whatsapp.Unknown, whatsapp.ScopeMessage, 0, true},
		"cut before":     {kind(sandbox.KindCutBefore), whatsapp.Unknown, whatsapp.ScopeMessage, 0, false},
		"cut":            {kind(sandbox.KindCut), whatsapp.Unknown, whatsapp.ScopeMessage, 0, true},
		"reset":          {kind(sandbox.KindReset), whatsapp.Unknown, whatsapp.ScopeMessage, 0, true},
		"cut body":       {kind(sandbox.KindCutBody), whatsapp.Unknown, whatsapp.ScopeMessage, 0, true},
		"slow":           {kind(sandbox.KindSlow), whatsapp.Unknown, whatsapp.ScopeMessage, 0, true},
		"no id":          {kind(sandbox.KindNoID), whatsapp.Unknown, whatsapp.ScopeMessage, 0, true},
		"redirect":       {kind(sandbox.KindRedirect), whatsapp.Unknown, whatsapp.ScopeMessage, 0, false},
		"none":           {sandbox.Fault{Kind: sandbox.KindFail, Code: 131026}, whatsapp.Accepted, whatsapp.ScopeMessage, 0, true},
		"retry after 7s": {sandbox.Fault{Kind: sandbox.KindRefuse, Code: 4, RetryAfterS: 7}, whatsapp.RefusedForNow, whatsapp.ScopeWABA, 4, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := start(t, nil)
			if tc.fault.Kind == sandbox.KindSlow {
				m.waits(t, 5*time.Second)
			}
			tc.fault.Count = 1
			if _, err := m.AddFault(tc.fault); err != nil {
				t.Fatal(err)
			}
			res := m.send(t.Context(), person(1), callback(1, 1))
			if res.Outcome != tc.outcome || res.Scope != tc.scope || res.Code != tc.code {
				t.Errorf("%+v", res)
			}
			if tc.fault.RetryAfterS > 0 && res.RetryAfter != 7*time.Second {
				t.Errorf("retry after %v", res.RetryAfter)
			}
			e := m.Entries(0, 10)
			if len(e) != 1 || e[0].Accepted != tc.accepted || e[0].CallbackData != callback(1, 1) || e[0].Recipient != person(1) ||
				e[0].NumberID != pnid || e[0].Template != "plain" || e[0].Code != tc.code && e[0].Code != 0 || e[0].Fate == "" {
				t.Fatalf("journal %+v", e)
			}
			if tc.accepted {
				// Whatever the answer was, the status finds the message.
				m.inbox.until(func() bool {
					return slices.ContainsFunc(m.inbox.statuses(), func(s whatsapp.Status) bool {
						return s.CallbackData == callback(1, 1) && s.ID.Raw() == e[0].WAMID
					})
				})
			}
			if after := m.send(t.Context(), person(2), callback(2, 1)); after.Outcome != whatsapp.Accepted {
				t.Errorf("the fault did not end: %+v", after)
			}
		})
	}
}

func TestNeverLeftReachesNoJournal(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	c, err := whatsapp.New(whatsapp.Config{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	r := c.SendTemplate(t.Context(), token, pnid, whatsapp.TemplateMessage{To: whatsapp.To{Phone: person(1)}, Name: "plain", Language: "en_US"})
	if r.Outcome != whatsapp.NeverLeft || len(m.Entries(0, 1)) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAcceptedAnswer(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	if err := m.Apply(sandbox.Seed{People: []sandbox.Person{{Phone: person(9), Name: "Mona", Username: "mona", Hidden: true}}}); err != nil {
		t.Fatal(err)
	}
	if r := m.send(t.Context(), "+5511900000000", callback(1, 1)); r.Outcome != whatsapp.Accepted || r.WaID != "551100000000" || r.Status != whatsapp.StatusAccepted {
		t.Errorf("Brazil: %+v", r)
	}
	hidden := m.send(t.Context(), person(9), callback(2, 1))
	if hidden.Outcome != whatsapp.Accepted || hidden.WaID != "" || !whatsapp.IsBSUID(hidden.UserID) {
		t.Fatalf("hidden: %+v", hidden)
	}
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 2 })
	for _, c := range m.inbox.changes() {
		for i, s := range c.Value.(whatsapp.Messages).Statuses {
			if s.CallbackData == callback(2, 1) && (s.RecipientID != "" || s.RecipientUserID != hidden.UserID || c.Value.(whatsapp.Messages).Contacts[i].Username != "mona") {
				t.Errorf("hidden status %+v", s)
			}
			if (s.Pricing != nil) != (s.Kind != "read") || s.Kind == "sent" && s.Pricing.Category != "marketing" {
				t.Errorf("%s pricing %+v", s.Kind, s.Pricing)
			}
		}
	}
	byID := m.client.SendTemplate(t.Context(), token, pnid, whatsapp.TemplateMessage{To: whatsapp.To{BSUID: hidden.UserID}, Name: "plain", Language: "en_US"})
	if byID.Outcome != whatsapp.Accepted || byID.UserID != hidden.UserID {
		t.Errorf("by user id: %+v", byID)
	}
	m.client.SendTemplate(t.Context(), token, pnid, whatsapp.TemplateMessage{To: whatsapp.To{BSUID: "US.NOBODY"}, Name: "plain", Language: "en_US"})
	m.inbox.until(func() bool { return m.inbox.count("failed") == 1 })
}

func TestMagicNumbers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers []whatsapp.Outcome
		code    int
		kinds   []string // the statuses that must come
		fails   int
	}{
		"000": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"sent", "delivered", "read"}, 0},
		"001": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"sent", "delivered"}, 0},
		"026": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"failed"}, 131026},
		"047": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"failed"}, 131047},
		"049": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"failed"}, 131049},
		"050": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"failed"}, 131050},
		"056": {[]whatsapp.Outcome{whatsapp.RefusedForNow, whatsapp.RefusedForNow}, 131056, nil, 0},
		"429": {[]whatsapp.Outcome{whatsapp.RefusedForNow, whatsapp.RefusedForNow, whatsapp.Accepted}, 130429, []string{"sent"}, 0},
		"500": {[]whatsapp.Outcome{whatsapp.Unknown, whatsapp.Accepted}, 131000, []string{"sent"}, 0},
		"408": {[]whatsapp.Outcome{whatsapp.Unknown}, 0, []string{"sent"}, 0},
		"015": {[]whatsapp.Outcome{whatsapp.StopSending}, 132015, nil, 0},
		"042": {[]whatsapp.Outcome{whatsapp.StopSending}, 131042, nil, 0},
		"190": {[]whatsapp.Outcome{whatsapp.StopSending}, 190, nil, 0},
		"123": {[]whatsapp.Outcome{whatsapp.Accepted}, 0, []string{"sent"}, 0},
	}
	for suffix, tc := range tests {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			m := start(t, func(_ *sandbox.Config, sc *sandbox.Scenario) { sc.ReadProbability = 0 })
			if suffix == "408" { // which answers slowly
				m.waits(t, 5*time.Second)
			}
			for i, want := range tc.answers {
				r := m.send(t.Context(), "+99900000"+suffix, callback(1, i+1))
				if r.Outcome != want || want != whatsapp.Accepted && r.Code != tc.code {
					t.Fatalf("try %d: %+v", i+1, r)
				}
			}
			for _, kind := range tc.kinds {
				m.inbox.until(func() bool { return m.inbox.count(kind) == 1 })
			}
			for _, s := range m.inbox.statuses() {
				if s.Kind == "failed" && (len(s.Errors) != 1 || s.Errors[0].Code != tc.fails) {
					t.Errorf("failed with %+v", s.Errors)
				}
				if s.Kind == "read" && suffix != "000" {
					t.Error("read")
				}
			}
		})
	}
}

func TestJournalSurvivesRestartAndCountsDuplicates(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	keep := func(cfg *sandbox.Config, _ *sandbox.Scenario) { cfg.JournalPath = path }
	var wamid string
	t.Run("first", func(t *testing.T) {
		m := start(t, keep)
		r := m.send(t.Context(), person(1), callback(1, 1))
		wamid = r.WAMID.Raw()
		m.send(t.Context(), person(2), callback(2, 1))
		m.post(t, `{"messaging_product":"whatsapp"}`)
	})
	m := start(t, keep)
	if s := m.Summary(); s.Requests != 3 || s.Accepted != 2 || s.Refused != 1 || s.DuplicateOrdinals != 0 || s.ByCode["100"] != 1 || s.Undecided != 0 {
		t.Fatalf("%+v", s)
	}
	if r := m.send(t.Context(), person(3), callback(1, 2)); r.WAMID.Raw() == wamid { // same ordinal, other person
		t.Error("a wamid came twice")
	}
	m.send(t.Context(), person(2), callback(7, 1)) // same person, other ordinal
	s := m.Summary()
	if s.DuplicateOrdinals != 1 || s.DuplicateRecipients != 1 || len(s.Duplicates) != 2 || s.ByRun[runHex] != 4 {
		t.Errorf("%+v", s)
	}
	if d := s.Duplicates[0]; d.Kind != "ordinal" || d.First != 1 || d.Second != 4 {
		t.Errorf("%+v", d)
	}
	var page struct {
		Entries []journal.Entry
		Next    int64
	}
	if code := m.control(t, "GET", "/sandbox/journal?after=3&limit=1", "", &page); code != 200 || len(page.Entries) != 1 || page.Entries[0].Seq != 4 || page.Next != 4 {
		t.Errorf("%d %+v", code, page)
	}
}
