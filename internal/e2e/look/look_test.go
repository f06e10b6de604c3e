//go:build unix

package look_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
	"bareed/internal/e2e/look"
)

// needs starts a browser. Continuous integration must have one; a laptop may
// do without and is told so.
func needs(t *testing.T, axe bool) *look.Browser {
	t.Helper()
	ci := os.Getenv("CI") != "" || os.Getenv("ALLOW_INSTALL") == "1"
	without := t.Skip
	if ci {
		without = t.Fatal
	}
	program, err := software.Chromium(t.Context(), io.Discard, os.Getenv("ALLOW_INSTALL") == "1")
	if err != nil {
		without(err)
	}
	source := ""
	if axe {
		dir, err := devenv.OwnDir(devenv.Test)
		if err != nil {
			t.Fatal(err)
		}
		if source, err = look.Axe(t.Context(), dir, io.Discard); err != nil {
			without(err)
		}
	}
	b, err := look.Start(t.Context(), look.Config{Program: program, Axe: source, Words: look.Lexicon{
		Latin: []string{"WhatsApp"}, Areas: []string{"campaigns"}, English: map[string]string{"Save it": "ui.save"}, UserData: []string{"Sara Ali"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

const sound = `<!doctype html><html lang="%s" dir="%s"><head><meta charset="utf-8"><title>%s</title><meta name="viewport" content="width=device-width"></head>
<body><main><h1>%s</h1>%s</main></body></html>`

// Each page breaks one rule; the judge must name it, and nothing else.
func TestEachFaultIsSeen(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, lang, dir, title, heading, body string
		kind                                  look.Kind
		rule                                  string
	}{
		{"sound in English", "en", "ltr", "Page", "Heading", `<p>Plain words, and <bdi>سارة</bdi></p>`, "", ""},
		{"sound in Arabic", "ar", "rtl", "صفحة Sara Ali", "عنوان", `<p>كلمات عن WhatsApp و<bdi>Sara</bdi> <code>x.y</code></p>`, "", ""},
		{"a field without a label", "en", "ltr", "Page", "Heading", `<input type="text" name="x">`, look.Access, "label"},
		{"faint text", "en", "ltr", "Page", "Heading", `<p style="color:#bbb;background:#fff">Hard to read</p>`, look.Access, "color-contrast"},
		{"two headings", "en", "ltr", "Page", "Heading", `<h1>Another</h1>`, look.Access, "outline"},
		{"too wide", "en", "ltr", "Page", "Heading", `<div style="width:2000px">wide</div>`, look.Overflow, "width"},
		{"too wide in Arabic", "ar", "rtl", "صفحة", "عنوان", `<div style="width:2000px">عريض</div>`, look.Overflow, "width"},
		{"English in Arabic", "ar", "rtl", "صفحة", "عنوان", `<p>كلمات Save the date</p>`, look.Untranslated, "latin"},
		{"English hidden as data", "ar", "rtl", "صفحة", "عنوان", `<p dir="auto">Save it</p>`, look.Untranslated, "english"},
		{"English put into a sentence", "ar", "rtl", "صفحة", "عنوان", "<p>كلمات \u2068Save it\u2069</p>", look.Untranslated, "english"},
		{"somebody's name in a sentence", "ar", "rtl", "صفحة", "عنوان", "<p>كلمات \u2068Sara\u2069</p>", "", ""},
		{"English in an attribute", "ar", "rtl", "صفحة", "عنوان", `<p><button aria-label="Close">×</button></p>`, look.Untranslated, "latin"},
		{"Arabic in English", "en", "ltr", "Page", "Heading", `<p>Words كلمات</p>`, look.Untranslated, "arabic"},
		{"a key", "en", "ltr", "Page", "Heading", `<p>campaigns.no_such_text</p>`, look.Untranslated, "key"},
		{"an unfilled place", "en", "ltr", "Page", "Heading", `<p>Hello {name}</p>`, look.Untranslated, "unfilled"},
		{"the wrong direction", "ar", "ltr", "صفحة", "عنوان", `<p>كلمات</p>`, look.Direction, "html"},
		{"an error", "en", "ltr", "Page", "Heading", `<script>console.error("broken")</script>`, look.Console, "console.error"},
		{"an exception", "en", "ltr", "Page", "Heading", `<script>null.x</script>`, look.Console, "exception"},
		{"another machine", "en", "ltr", "Page", "Heading", `<img alt="" src="http://pictures.example/x.png">`, look.Outside, "request"},
		{"the content policy", "en", "ltr", "Page", "Heading", `<iframe src="/x" title="Frame"></iframe>`, look.Policy, ""},
	}
	b := needs(t, true)
	pages := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src * 'unsafe-inline'; frame-src 'none'")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	for i, c := range cases {
		pages[fmt.Sprintf("/%d", i)] = fmt.Sprintf(sound, c.lang, c.dir, c.title, c.heading, c.body)
	}
	tab, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if err := tab.Open(fmt.Sprintf("%s/%d", server.URL, i)); err != nil {
			t.Fatal(err)
		}
		faults, err := tab.Examine(look.Options{Lang: c.lang, Views: look.Views()[:1]})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		judge(t, c.name, c.kind, c.rule, append(faults, tab.Noise()...))
	}
}

func judge(t *testing.T, name string, kind look.Kind, rule string, faults []look.Fault) {
	t.Helper()
	found := false
	for _, f := range faults {
		hit := f.Kind == kind && (rule == "" || f.Rule == rule)
		aftermath := kind == look.Outside && f.Kind == look.Console // the request that was not let out
		if !hit && !aftermath {
			t.Errorf("%s: also %s", name, f)
		}
		found = found || hit
	}
	if kind != "" && !found {
		t.Errorf("%s: not seen", name)
	}
}

// What a person without a mouse would notice.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	b := needs(t, false)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, sound, "en", "ltr", "Page", "Heading",
			`<a id="seen" href="/next">a</a> <a id="unseen" style="outline:0" href="/">b</a> <a id="never" tabindex="-1" href="/">c</a> <p>`+r.URL.Path+`</p>`)
	}))
	t.Cleanup(server.Close)
	tab, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ target, want string }{{"#unseen", "unseen"}, {"#never", "does not reach"}} {
		if err := tab.Open(server.URL + "/"); err != nil {
			t.Fatal(err)
		}
		if err := tab.TabTo(c.target); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.target, err, c.want)
		}
	}
	if err := tab.Open(server.URL + "/"); err != nil {
		t.Fatal(err)
	}
	if err := tab.TabTo("#seen"); err != nil {
		t.Fatal(err)
	}
	if err := tab.PressEnter(); err != nil {
		t.Fatal(err)
	}
	if err := tab.See("/next"); err != nil {
		t.Error(err)
	}
}
