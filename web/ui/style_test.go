package ui_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func css(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("assets/bareed.css")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A page in Arabic is the same page mirrored, so nothing may name a side.
func TestStyleNamesNoSide(t *testing.T) {
	t.Parallel()
	for i, line := range strings.Split(css(t), "\n") {
		if m := regexp.MustCompile(`(?i)\b(left|right)\b|(^|[\s;{])(margin|padding|border)-(top|bottom)\b|\b(float|clear)\s*:`).FindString(line); m != "" {
			t.Errorf("line %d: %q is not a logical property: %s", i+1, m, line)
		}
		if strings.Contains(line, "@import") || strings.Contains(line, "url(") || strings.Contains(line, "//") {
			t.Errorf("line %d loads something: %s", i+1, line)
		}
	}
}

var token = regexp.MustCompile(`--([a-z0-9-]+): light-dark\(#([0-9A-F]{6}), #([0-9A-F]{6})\);`)

// tokens are the colours by name, light and dark.
func tokens(t *testing.T) map[string][2]string {
	t.Helper()
	all := map[string][2]string{}
	for _, m := range token.FindAllStringSubmatch(css(t), -1) {
		all[m[1]] = [2]string{m[2], m[3]}
	}
	if len(all) < 30 {
		t.Fatalf("only %d colours found", len(all))
	}
	return all
}

// luminance and contrast as in WCAG 2.2, "relative luminance" and "contrast ratio".
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	all := tokens(t)
	grounds := []string{"bg", "surface", "sunken"}
	check := func(front, back string, least float64) {
		t.Helper()
		for i, mode := range []string{"light", "dark"} {
			f, ok1 := all[front]
			b, ok2 := all[back]
			if !ok1 || !ok2 {
				t.Fatalf("there is no colour %s or %s", front, back)
			}
			if got := contrast(t, f[i], b[i]); got < least {
				t.Errorf("%s on %s is %.2f in %s, at least %.1f is needed", front, back, got, mode, least)
			}
		}
	}
	for _, ground := range grounds {
		for _, text := range []string{"text", "muted", "primary", "primary-strong", "danger", "info", "warn", "ok"} {
			check(text, ground, 4.5)
		}
		for _, part := range []string{"focus"} {
			check(part, ground, 3)
		}
	}
	for _, ground := range []string{"bg", "surface"} {
		check("border", ground, 3)
	}
	for _, tone := range []string{"ok", "info", "warn", "danger"} {
		check(tone, tone+"-soft", 4.5)
		check("text", tone+"-soft", 4.5)
	}
	check("on-primary", "primary", 4.5)
	check("on-primary", "primary-strong", 4.5)
	check("on-danger", "danger", 4.5)
	check("muted", "mute-soft", 4.5)
	check("text", "mute-soft", 4.5)
	check("info", "bubble", 4.5)
	for _, ground := range []string{"side", "side-hover", "side-current"} {
		check("side-text", ground, 4.5)
		check("side-on", ground, 4.5)
		check("mint", ground, 3)
	}
}

// Colours are written once, as tokens, so that the test above sees them all.
func TestColoursAreTokens(t *testing.T) {
	t.Parallel()
	rest := token.ReplaceAllString(css(t), "")
	for i, line := range strings.Split(rest, "\n") {
		m := regexp.MustCompile(`#[0-9A-Fa-f]{3,8}\b`).FindString(line)
		if m != "" && !strings.Contains(line, "--focus: #9DBDFF") && !strings.Contains(line, "background: #FFF; font-size") && !strings.Contains(line, "border: 8px solid light-dark(") {
			t.Errorf("line %d writes the colour %s: %s", i+1, m, line)
		}
	}
	if b, err := os.ReadFile("assets/bareed.js"); err != nil || len(b) > 12<<10 {
		t.Errorf("the script has %d bytes, %v", len(b), err)
	}
}
