package web_test

import (
	"regexp"
	"strings"
	"testing"

	"bareed/accounts"
	"bareed/web"
)

var (
	// inline is what the content policy would refuse, and what a template must
	// not produce.
	inline = regexp.MustCompile(`(?i)\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:|<script(?:>|\s[^>]*>[^<])`)

	// unfilled is a place nobody filled, a key without a text, or a value that
	// is not there.
	unfilled = regexp.MustCompile(`\{[a-z_]+\}|<no value>|ZgotmplZ|>\s*[a-z_]+(?:\.[a-z_0-9]+)+\s*<|%!`)
)

// examine says what is wrong with any page.
func examine(t *testing.T, path, lang string, p page) {
	t.Helper()
	dir := map[string]string{"en": "ltr", "ar": "rtl"}[lang]
	if !strings.Contains(p.Body, `<html lang="`+lang+`" dir="`+dir+`"`) || p.Header.Get("Content-Language") != lang {
		t.Errorf("%s in %s: the page does not say so: %.120s", path, lang, p.Body)
	}
	for _, m := range inline.FindAllString(p.Body, -1) {
		t.Errorf("%s in %s: %q would be refused by the content policy", path, lang, m)
	}
	body := regexp.MustCompile(`data-selected="[^"]*"`).ReplaceAllString(p.Body, "")
	for _, m := range unfilled.FindAllString(body, -1) {
		t.Errorf("%s in %s: %q is left over", path, lang, m)
	}
	if n := strings.Count(p.Body, "<h1"); n != 1 {
		t.Errorf("%s in %s: %d headings of the first rank", path, lang, n)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(p.Body, -1) {
		if ids[m[1]] {
			t.Errorf("%s in %s: the id %s stands twice", path, lang, m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?:aria-labelledby|aria-describedby|<label for|href="#)="?([^" >]+)"`).FindAllStringSubmatch(p.Body, -1) {
		for _, name := range strings.Fields(m[1]) {
			if !ids[name] {
				t.Errorf("%s in %s: nothing has the id %s", path, lang, name)
			}
		}
	}
	h := p.Header
	policy := h.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s: the content policy is %q", path, policy)
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Request-Id") == "" {
		t.Errorf("%s: headers %v", path, h)
	}
}

// Every page without an object in its path, in both languages.
func TestEveryPageInBothLanguages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Owner)
	seen := 0
	for _, lang := range []string{"en", "ar"} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		for _, route := range web.Routes() {
			path := strings.TrimSuffix(route.Path(), "{$}")
			if route.Method() != "GET" || strings.Contains(path, "{") || path == "/sign-in" || path == "/session" || strings.HasPrefix(path, "/ops") || route.Long {
				continue
			}
			seen++
			examine(t, path, lang, b.get(path).has(t, 200, "<main", `aria-label`))
		}
		out := r.browser(t)
		out.lang = lang
		examine(t, "/sign-in", lang, out.get("/sign-in").has(t, 200))
		examine(t, "/none", lang, out.get("/none").has(t, 404))
		examine(t, "/none signed in", lang, b.get("/none").has(t, 404))
	}
	if seen < 10 {
		t.Errorf("only %d pages seen", seen)
	}
}

func TestEveryRowNamesAnAction(t *testing.T) {
	t.Parallel()
	for _, row := range web.Routes() {
		if _, ok := accounts.RuleOf(row.Action); ok == row.Public {
			t.Errorf("%s: either an action of the table of roles, or public", row.Route)
		}
	}
	for _, n := range web.Navigation() {
		if _, ok := accounts.RuleOf(n.Action); !ok {
			t.Errorf("the menu's %s names no action", n.Path)
		}
	}
}

// What a role lacks is explained, and not offered in the menu.
func TestARoleThatLacksTheAction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, role := range accounts.Roles() {
		b := r.as(t, role)
		for _, row := range web.Routes() {
			if row.Public || strings.Contains(strings.TrimSuffix(row.Path(), "{$}"), "{") || row.Long {
				continue
			}
			may := accounts.Allow(accounts.Actor{Kind: accounts.KindUser, Role: role}, row.Action) == nil
			p := b.do(row.Method(), strings.TrimSuffix(row.Path(), "{$}"), nil)
			if forbidden := p.Status == 403; forbidden == may {
				t.Errorf("%s as %s: %d", row.Route, role, p.Status)
			}
		}
	}
}
