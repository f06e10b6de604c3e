package web_test

import (
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/fixture"
)

// A campaign that runs, one that is over and a draft can be duplicated by whoever
// may write campaigns, from the page and from the list; the copy opens.
func TestDuplicateByPages(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	b := s.as(t, accounts.Marketer)
	for _, x := range []struct{ lang, button, copy, flash string }{
		{"ar", "إنشاء نسخة", "عرض العيد (نسخة)", "هذه نسخة من"},
		{"en", "Duplicate", "عرض العيد (copy)", "This is a copy of"},
	} {
		s.speak(t, b, x.lang)
		form := `action="` + s.path("/duplicate") + `"`
		b.get("/campaigns").has(t, 200, form, x.button)
		b.get(s.path("")).has(t, 200, form, x.button)
		where, p := b.follow(b.post(s.path("/duplicate"), "back", "/campaigns"))
		look(t, where, x.lang, p.has(t, 200, x.copy, x.flash))
		if !strings.HasSuffix(where, "/edit/message") || strings.Contains(where, s.campaign.String()) {
			t.Errorf("the copy leads to %s", where)
		}
		copied := strings.TrimSuffix(where, "/edit/message")
		look(t, copied, x.lang, b.get(copied).has(t, 200, x.copy, copied+"/duplicate", map[string]string{"en": "as a copy of another", "ar": "نسخةً من حملة أخرى"}[x.lang]))
	}
	if now := s.read(t); now.State != campaigns.Running {
		t.Errorf("the first became %s", now.State)
	}
	b.follow(b.post("/campaigns/" + s.draft.String() + "/duplicate"))
	s.b.Do(t, `update campaign set send_at = now() - interval '1 hour', send_zone = 'UTC' where id = $1`, s.campaign)
	_, p := b.follow(b.post(s.path("/duplicate")))
	p.has(t, 200, "(copy 2)", "Its time had passed")
	viewer := s.as(t, accounts.Viewer)
	viewer.post(s.path("/duplicate")).has(t, 403)
	for _, path := range []string{"/campaigns", s.path("")} {
		if p := viewer.get(path).has(t, 200); strings.Contains(p.Body, "/duplicate") {
			t.Errorf("%s offers a viewer to duplicate", path)
		}
	}
	_, email := fixture.User(t, s.pool, s.hasher, fixture.Workspace(t, s.pool, s.vault), accounts.Owner)
	stranger := s.browser(t)
	stranger.signIn(email)
	stranger.post(s.path("/duplicate")).has(t, 404)
}

// Where a value is missing, every page says which.
func TestMissingValueIsNamed(t *testing.T) {
	t.Parallel()
	s := newSending(t)
	s.b.Do(t, `update message set reason = 'param_missing' where run_id = $1 and state = 'suppressed'`, s.run)
	s.snapshot(t)
	b := s.as(t, accounts.Viewer)
	for _, x := range [][2]string{{"ar", "لا قيمة لـ \u2068first_name\u2069"}, {"en", "No value for first_name"}} {
		lang, want := x[0], x[1]
		s.speak(t, b, lang)
		for _, path := range []string{s.path(""), s.path("/report"), s.path("/recipients"), s.path("/recipients?state=suppressed&reason=param_missing"), s.message(6)} {
			look(t, path, lang, b.get(path).has(t, 200, want))
		}
	}
	s.b.Do(t, `update campaign set variables = '{"body": [{"attribute": "first_name", "fallback": "friend"}]}' where id = $1`, s.campaign)
	b.get(s.path("")).has(t, 200, "A value for the template is missing")
}
