package web_test

import (
	"strings"
	"testing"

	"bareed/accounts"
)

// The card of waves, in both languages: which is open, what the next waits for,
// and what is measured against every rule.
func TestWavesOnTheCampaignsPage(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	b := s.as(t, accounts.Owner)
	b.get(s.path("")).has(t, 200, "What the rules measure", "Too few to judge", "1.5 %")
	s.b.Do(t, `insert into run_wave (workspace_id, run_id, wave, people, boundary, opened_at, handed_at)
		select $1, $2, w, case w when 1 then 4 else 10 end, case w when 1 then 4 end, case w when 1 then bareed_now() end, case w when 1 then bareed_now() end
		from generate_series(1, 2) w`, s.b.Workspace, s.run)
	for lang, texts := range map[string][]string{
		"en": {"Waves", "Up to 4 people", "Sent, at its gate", "The rest, 10 people in all", "Not open yet", "The next wave opens at", "People who opt out after the message"},
		"ar": {"الدفعات", "حتى 4 أشخاص", "أُرسلت وتنتظر عند بوابتها", "تُفتح الدفعة التالية عند", "من ألغوا موافقتهم بعد الرسالة"},
	} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		p := b.get(s.path("")).has(t, 200, texts...)
		examine(t, "waves", lang, p)
	}
	b.post("/language", "language", "en", "back", "/").to(t, "/")
	b.post(s.path("/pause")).to(t, s.path(""))
	b.get(s.path("")).has(t, 200, "The next wave waits until what holds the campaign is cleared.")
}

// What Meta dropped is shown, decided by those who may, and sent anew once.
func TestHeldMessagesOnPages(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	s.b.Do(t, `update message set state = 'held', reason = 'meta_132015', claim_token = gen_random_uuid() where run_id = $1 and ordinal in (1, 2)`, s.run)
	s.b.Do(t, `update message set state = 'held', reason = null where run_id = $1 and ordinal = 3`, s.run)
	s.snapshot(t)
	b := s.as(t, accounts.Owner)
	for lang, texts := range map[string][]string{
		"en": {"Meta dropped 2 messages it had held", "Send these 2 anew", "Waiting for Meta"},
		"ar": {"أسقطت ميتا رسالتين كانت تحتجزهما", "إرسال هاتين الرسالتين من جديد"},
	} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		examine(t, "held", lang, b.get(s.path("/held")).has(t, 200, texts...))
	}
	b.post("/language", "language", "en", "back", "/").to(t, "/")
	b.get(s.path("")).has(t, 200, "nothing is sent again unless somebody decides so", s.path("/held"))
	s.as(t, accounts.Marketer).post(s.path("/held"), "expected", "2").has(t, 403)
	if p := s.as(t, accounts.Viewer).get(s.path("/held")).has(t, 200, "Only owners and admins decide"); strings.Contains(p.Body, "anew</button>") {
		t.Error("a viewer is offered to decide")
	}
	b.post(s.path("/held"), "expected", "5").has(t, 409, "2 are there now")
	b.post(s.path("/held"), "expected", "2").to(t, s.path(""))
	b.get(s.path("")).has(t, 200, "2 messages are sent anew.", "A person sends 2 messages anew")
	b.get(s.path("/held")).has(t, 200, "Nothing was dropped.")
}
