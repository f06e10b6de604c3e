package ui_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bareed/internal/errs"
	"bareed/web/ui"
)

var noon = time.Date(2026, 11, 22, 9, 3, 7, 0, time.UTC)

// small is a UI of one page, with whatever stands in its main part.
func small(main string) (*ui.UI, error) {
	return ui.New(ui.Config{
		Clock: func() time.Time { return noon },
		Pages: fstest.MapFS{
			"parts/x.html": {Data: []byte(`{{define "layout"}}<title>{{template "title" .}}</title>{{template "main" .}}{{end}}`)},
			"one.html":     {Data: []byte(`{{define "title"}}{{t "a.hello" "name" .}}{{end}}{{define "main"}}` + main + `{{end}}`)},
		},
		Text: fstest.MapFS{
			"en/a.json": {Data: []byte(`{"a.hello": "Hello {name}", "a.n": {"one": "{n} person", "other": "{n} people"}}`)},
			"ar/a.json": {Data: []byte(`{"a.hello": "مرحبًا {name}", "a.n": {"zero": "صفر", "one": "شخص", "two": "شخصان", "few": "{n} أشخاص", "many": "{n} شخصًا", "other": "{n} شخص"}}`)},
		},
	})
}

func kit(t *testing.T) *ui.UI {
	t.Helper()
	u, err := small(`{{n 1234567}} {{phone "+966 5"}}`)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestABrokenPageStopsTheStart(t *testing.T) {
	t.Parallel()
	for _, main := range []string{`{{nothing}}`, `{{if}}`, `{{end}}`} {
		if _, err := small(main); err == nil {
			t.Errorf("%s was taken", main)
		}
	}
}

func TestTextsAndPlurals(t *testing.T) {
	t.Parallel()
	u := kit(t)
	en, ar := u.Locale("en", nil), u.Locale("ar", nil)
	for n, want := range map[int]string{0: "صفر", 1: "شخص", 2: "شخصان", 3: "3 أشخاص", 10: "10 أشخاص", 11: "11 شخصًا", 99: "99 شخصًا",
		100: "100 شخص", 103: "103 أشخاص", 1_000_000: "1,000,000 شخص"} {
		if got := ar.T("a.n", "n", n); got != want {
			t.Errorf("%d in Arabic: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 people", 1: "1 person", 12345: "12,345 people", -1234: "\u22121,234 people"} {
		if got := en.T("a.n", "n", n); got != want {
			t.Errorf("%d in English: %q, want %q", n, got, want)
		}
	}
	if got := ar.T("a.hello", "name", "Sara"); got != "مرحبًا \u2068Sara\u2069" {
		t.Errorf("%q: the name can disturb the sentence", got)
	}
	if got := en.T("a.hello", "name", "سارة"); got != "Hello \u2068سارة\u2069" {
		t.Errorf("%q: the name can disturb the sentence", got)
	}
	if got := en.T("a.none"); got != "a.none" {
		t.Errorf("a missing text shows as %q", got)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	u := kit(t)
	zone, err := time.LoadLocation("Asia/Riyadh")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second from what was kept
		b, err := u.Render(u.Locale("en", zone), "one", "<b>")
		if err != nil || string(b) != `<title>Hello &lt;b&gt;</title>1,234,567 <span class="nowrap"><bdi dir="ltr">+966 5</bdi></span>` {
			t.Errorf("%s, %v", b, err)
		}
	}
	if _, err := u.Render(u.Locale("en", zone), "none", nil); err == nil {
		t.Error("a page that does not exist was rendered")
	}
	l := u.Locale("ar", zone)
	for d, want := range map[time.Duration]string{
		-2 * time.Second: "ui.now", -90 * time.Minute: "ui.ago.hours", 3 * time.Minute: "ui.in.minutes", -30 * 24 * time.Hour: "ui.ago.days",
		-90 * 24 * time.Hour: "24 أغسطس 2026",
	} {
		if got := l.Ago(noon.Add(d)); got != want { // the texts are elsewhere: a key stands for each
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := l.Time(noon); got != "22 نوفمبر 2026، 12:03" {
		t.Errorf("%q", got)
	}
	if got := u.Locale("en", zone).Percent(9205, 9568); got != "96.2%" {
		t.Errorf("%q", got)
	}
	for _, c := range []struct {
		part, total any
		want        string
	}{{9998, 10000, ">99.9%"}, {9999_4, 10000_0, ">99.9%"}, {10000, 10000, "100%"}, {0, 10000, "0%"}, {1, 10000, "<0.1%"}, {1, 1000, "0.1%"},
		{9994, 10000, "99.9%"}, {10001, 10000, "100.0%"}, {3, 2, "150.0%"}, {1, 0, "–"}, {0.5, 1, "50.0%"}} {
		if got := u.Locale("en", zone).Percent(c.part, c.total); got != c.want {
			t.Errorf("%v of %v: %q, want %q", c.part, c.total, got, c.want)
		}
	}
	if got := u.Locale("en", zone).Bytes(1234); got != "1.2\u00a0kB" {
		t.Errorf("%q", got)
	}
}

func TestFormKeepsAndPlaces(t *testing.T) {
	t.Parallel()
	f := ui.NewForm(url.Values{"name": {" Spring "}, "audience_ids": {"a", "b"}})
	if f.Get("name") != "Spring" || f.Raw("name") != " Spring " || !f.Has("audience_ids", "b") || f.Has("audience_ids", "c") {
		t.Errorf("%+v", f)
	}
	err := errs.New("invalid").At("/name", "field.too_long", "max", 5).At("/audience_ids/1", "ref.not_found").At("/name", "field.required").At("/x", "field.required")
	if !f.Fail("en", err, "/x", "other") {
		t.Fatal("not taken")
	}
	var fields []string
	for _, s := range f.Summary() {
		fields = append(fields, s.Field)
	}
	if !slices.Equal(fields, []string{"name", "audience_ids", "other"}) || !strings.Contains(f.Error("name"), "5") || !f.Refused() {
		t.Errorf("%v %q", fields, f.Error("name"))
	}
	if f.Fail("en", errs.New("not_found")) || f.Fail("en", errs.New("internal")) {
		t.Error("an error with a page of its own was put on the form")
	}
	var none *ui.Form
	if none.Get("x") != "" || none.Refused() || none.Summary() != nil || none.Error("x") != "" {
		t.Error("no form is not empty")
	}
}

func TestFlashIsOurs(t *testing.T) {
	t.Parallel()
	proof := func(use, text string) []byte { return []byte((use + text + "0123456789abcdef")[:16]) }
	s, err := ui.Flash{Kind: "done", Key: "a.n", Params: []any{"n", 3}}.Encode(proof)
	if err != nil {
		t.Fatal(err)
	}
	f, ok := ui.DecodeFlash(proof, s)
	if !ok || f.Key != "a.n" || f.Params[1] != int64(3) {
		t.Errorf("%+v %v", f, ok)
	}
	for _, bad := range []string{"", "x", "AAAA", s[:len(s)-4], strings.ToLower(s)} {
		if f, ok := ui.DecodeFlash(proof, bad); ok && f.Key != "a.n" {
			t.Errorf("%q was taken", bad)
		}
	}
	other := func(string, string) []byte { return make([]byte, 16) }
	if _, ok := ui.DecodeFlash(other, s); ok {
		t.Error("another key's flash was taken")
	}
}
