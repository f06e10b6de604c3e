package web_test

import (
	"strings"
	"testing"

	"bareed/accounts"
)

// The page of sending rules: each with its default, the operator's bounds and its
// last change; what is refused says why beside its field; two who change at once
// do not overwrite each other; who may not change reads.
func TestThePageOfSendingRules(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Owner)
	const at = "/settings/sending-rules"
	b.get("/settings").has(t, 200, `href="`+at+`"`)
	for lang, want := range map[string][]string{
		"en": {"Hold when more than this share opts out", "Empty: 1.5, the default. Your operator permits 0.1 to 5.", "Never changed here.", "Default: when something is new or the quality is not high", "Who is in the first wave"},
		"ar": {"الإيقاف إذا ألغى الموافقة أكثر من هذه النسبة", "لم تُغيَّر هنا قط.", "من في الدفعة الأولى"},
	} {
		r.speak(t, b, lang)
		look(t, at, lang, b.get(at).has(t, 200, want...))
	}
	r.speak(t, b, "en")
	b.post(at, "version", "0", "opt_outs_over", "50").has(t, 422, `href="#opt_outs_over"`, "50 is not possible: your operator permits 0.1 to 5.", `value="50"`)
	b.post(at, "version", "0", "wave_wait", "soon").has(t, 422, `href="#wave_wait"`, `value="soon"`, "This is no number.")
	b.post(at, "version", "0", "held_most", "1,5").has(t, 422, `href="#held_most"`, `value="1,5"`)
	b.post(at, "version", "0", "wave_shares", "25, 5").has(t, 422, `href="#wave_shares"`)
	b.post(at, "version", "0", "waves", "sometimes").has(t, 422, `href="#waves"`)
	b.post(at, "version", "0", "off", "failures_high").has(t, 422, "your operator does not permit it")
	b.post(at, "version", "0", "opt_outs_over", "٢٫٥", "wave_shares", "10 40", "waves", "always", "held_most", "1,000").to(t, at)
	b.get(at).has(t, 200, `value="2.5"`, `value="10, 40"`, `<option value="always" selected>`, `value="1000"`, "from the default to 2.5.", `name="version" value="1"`)
	b.post(at, "version", "0", "opt_outs_over", "3").has(t, 412)
	b.post(at, "version", "1", "opt_outs_over", "3").to(t, at)
	p := b.get(at).has(t, 200, `value="3"`, "from 2.5 to 3.", "from always to the default.")
	if strings.Contains(p.Body, `<option value="always" selected>`) {
		t.Error("what was left empty is still set")
	}
	viewer := r.as(t, accounts.Viewer)
	p = viewer.get(at).has(t, 200, "Only owners and admins change sending rules.", "from 2.5 to 3.")
	if strings.Contains(p.Body, `action="`+at+`"`) {
		t.Error("a viewer is offered to change")
	}
	viewer.post(at, "version", "2", "opt_outs_over", "1").has(t, 403)
	r.as(t, accounts.Marketer).post(at, "version", "2", "opt_outs_over", "1").has(t, 403)
}

// A warning stands on the campaign's page, in its history and among what waits for
// a person.
func TestWarningsOnPages(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	s.b.Do(t, `insert into run_warning (workspace_id, run_id, campaign_id, reason, threshold, measured)
		select workspace_id, id, campaign_id, 'reads_low', '< 30 % × 60.0 %', '10.0 % (50 / 500)' from run where id = $1`, s.run)
	s.b.Do(t, `insert into campaign_event (workspace_id, campaign_id, sequence, type, data)
		select r.workspace_id, r.campaign_id, (select max(e.sequence) + 1 from campaign_event e where e.campaign_id = r.campaign_id), 'campaign.warning', '{"reason": "reads_low"}'
		from run r where r.id = $1`, s.run)
	b := s.as(t, accounts.Owner)
	for lang, want := range map[string]string{"en": "Hardly anybody read it in the first hour", "ar": "قلّ من قرأها في الساعة الأولى"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		p := b.get(s.path("")).has(t, 200, want, "10.0 % (50 / 500)")
		examine(t, "warning", lang, p)
		if n := strings.Count(p.Body, want); n != 2 {
			t.Errorf("%s: %d times, want banner and history", lang, n)
		}
		b.get("/").has(t, 200, want, s.path(""))
	}
}
