package look

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lexicon is what may stand untranslated, and what must not.
type Lexicon struct {
	Latin    []string          // words that stay in Latin letters in Arabic: names of products and formats
	Areas    []string          // first parts of the catalogue's keys, such as campaigns in campaigns.title
	English  map[string]string // whole English sentences with their keys, where the Arabic one differs
	UserData []string          // texts of the workspace's own, for titles and attributes, which take no element
}

// text is one text of a page, as inspect.js reads it.
type text struct {
	Text string `json:"text"`
	At   string `json:"at"`
	Kind string `json:"kind"` // title, text, option, attribute
	Code bool   `json:"code"` // inside code
	Data bool   `json:"data"` // marked as somebody's own words: bdi, dir=auto
	Lang string `json:"lang"` // of the nearest element that names one
}

// reading is a page as inspect.js reads it.
type reading struct {
	Lang     string `json:"lang"`
	Dir      string `json:"dir"`
	Width    int    `json:"width"`
	Scroll   int    `json:"scroll"`
	Headings int    `json:"headings"`
	Mains    int    `json:"mains"`
	Over     []struct {
		At       string `json:"at"`
		From, To int
	} `json:"over"`
	Texts []text `json:"texts"`
}

// layout judges what depends on the width.
func (r reading) layout() []Fault {
	if r.Scroll <= r.Width {
		return nil
	}
	f := Fault{Kind: Overflow, Rule: "width", Detail: fmt.Sprintf("the page is %d px wide", r.Scroll)}
	for _, o := range r.Over {
		f.Where = o.At
		f.Detail += fmt.Sprintf("; %s from %d to %d", o.At, o.From, o.To)
	}
	return []Fault{f}
}

// language judges direction, language and every text.
func (r reading) language(lang string, l Lexicon) []Fault {
	var faults []Fault
	want := map[string]string{"en": "ltr", "ar": "rtl"}[lang]
	if r.Lang != lang || r.Dir != want {
		faults = append(faults, Fault{Kind: Direction, Rule: "html", Where: "html",
			Detail: fmt.Sprintf("lang=%q dir=%q, want %q %q", r.Lang, r.Dir, lang, want)})
	}
	for _, t := range r.Texts {
		if rule, detail := l.judge(t, lang); rule != "" {
			faults = append(faults, Fault{Kind: Untranslated, Rule: rule, Where: t.At, Detail: detail})
		}
	}
	return faults
}

var (
	latinWord  = regexp.MustCompile(`\p{Latin}[\p{Latin}\p{Mn}'’]+`)
	arabicWord = regexp.MustCompile(`\p{Arabic}{2,}`)
	isolated   = regexp.MustCompile("\u2068([^\u2068\u2069]*)\u2069") // what was put into a sentence
	identifier = regexp.MustCompile(`[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+`) // such as a permission of Meta's
	keyShaped  = regexp.MustCompile(`[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+`)
	unfilled   = regexp.MustCompile(`\{[a-z_]+\}|<no value>|ZgotmplZ|%!|<nil>|\bundefined\b|\bNaN\b`)
)

// judge names the rule a text breaks.
func (l Lexicon) judge(t text, lang string) (rule, detail string) {
	if t.Code {
		return "", ""
	}
	for _, k := range keyShaped.FindAllString(t.Text, -1) {
		area, _, _ := strings.Cut(k, ".")
		if slices.Contains(l.Areas, area) {
			return "key", fmt.Sprintf("%q is a key of the catalogue", k)
		}
	}
	if m := unfilled.FindString(t.Text); m != "" && !t.Data {
		return "unfilled", fmt.Sprintf("%q is left over in %q", m, t.Text)
	}
	if t.Lang != "" && t.Lang != lang {
		return "", "" // said to be in another language
	}
	if s, key := l.english(t); lang == "ar" && key != "" {
		return "english", fmt.Sprintf("%q is the English text of %s", s, key)
	}
	if t.Data {
		return "", ""
	}
	s := identifier.ReplaceAllString(isolated.ReplaceAllString(t.Text, " "), " ")
	if t.Kind != "text" {
		for _, own := range l.UserData {
			s = strings.ReplaceAll(s, own, " ")
		}
	}
	if lang == "en" {
		if w := arabicWord.FindString(s); w != "" {
			return "arabic", fmt.Sprintf("%q in %q", w, t.Text)
		}
		return "", ""
	}
	for _, w := range latinWord.FindAllString(s, -1) {
		if !slices.Contains(l.Latin, w) {
			return "latin", fmt.Sprintf("%q in %q", w, t.Text)
		}
	}
	return "", ""
}

// english finds a whole English sentence, also where it was put into another or
// marked as somebody's own words. A single word may well be somebody's own.
func (l Lexicon) english(t text) (sentence, key string) {
	parts := []string{t.Text}
	for _, m := range isolated.FindAllStringSubmatch(t.Text, -1) {
		parts = append(parts, m[1])
	}
	for i, s := range parts {
		if key := l.English[s]; key != "" && (strings.Contains(s, " ") || i == 0 && !t.Data) {
			return s, key
		}
	}
	return "", ""
}
