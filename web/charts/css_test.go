package charts_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bareed/web/charts"
)

// tokens reads the custom properties of the root rule: light, dark.
func tokens(t *testing.T) (light, dark map[string]string) {
	t.Helper()
	_, rest, ok := strings.Cut(string(charts.Stylesheet), ":root {")
	if !ok {
		t.Fatal("no rule :root")
	}
	body, _, _ := strings.Cut(rest, "}")
	light, dark = map[string]string{}, map[string]string{}
	for _, m := range regexp.MustCompile(`--chart-([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`).FindAllStringSubmatch(body, -1) {
		light[m[1]], dark[m[1]] = m[2], m[3]
	}
	return light, dark
}

// luminance and contrast are WCAG 2.2's definitions of the same names.
func luminance(hex string) float64 {
	n, _ := strconv.ParseUint(hex[1:], 16, 32)
	part := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*part(n>>16) + .7152*part(n>>8) + .0722*part(n)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	light, dark := tokens(t)
	texts := []string{"ink", "muted", "limit", "stop-edge"}
	shapes := []string{"axis", "delivered", "read", "accepted", "failed", "suppressed", "waiting", "1", "2", "3", "4", "5", "6"}
	for name, set := range map[string]map[string]string{"light": light, "dark": dark} {
		if len(set) != len(light) || len(set) < 21 {
			t.Errorf("%s: %d tokens of %d", name, len(set), len(light))
		}
		for _, k := range texts {
			if c := contrast(set[k], set["surface"]); c < 4.5 {
				t.Errorf("%s: text %s %.2f on the surface, at least 4.5", name, k, c)
			}
		}
		for _, k := range shapes {
			for _, under := range []string{"surface", "track"} {
				if c := contrast(set[k], set[under]); c < 3 {
					t.Errorf("%s: %s %.2f on the %s, at least 3", name, k, c, under)
				}
			}
		}
	}
}

func TestStylesheet(t *testing.T) {
	t.Parallel()
	css := string(charts.Stylesheet)
	if m := regexp.MustCompile(`(?i)\b(left|right)\b|margin-top|@import|https?:`).FindString(regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(css, "")); m != "" {
		t.Errorf("%q in charts.css: logical properties only, nothing from outside", m)
	}
	// Every class a drawing uses has a rule.
	for _, c := range samples(english, charts.RTL, charts.Fluid) {
		for _, m := range regexp.MustCompile(`class="([^"]*)"`).FindAllStringSubmatch(string(c.HTML()), -1) {
			for class := range strings.FieldsSeq(m[1]) {
				if !regexp.MustCompile(`\.`+class+`[ ,{.]`).MatchString(css) && !unstyled[class] {
					t.Errorf("%T: class %s has no rule", c, class)
				}
			}
		}
	}
}

// unstyled classes need no rule of their own: names for pages, or the default.
var unstyled = map[string]bool{"t-tick": true, "t-note": true, "hatch": true, "reserve": true, "chart-m": true, "chart-one": true,
	"chart-funnel": true, "chart-timeline": true, "chart-columns": true, "chart-reasons": true, "chart-meter": true, "chart-histogram": true}
