package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bareed/web/ui"
)

func texts(t *testing.T) *ui.Texts {
	t.Helper()
	u := pages(t)
	return u.Texts()
}

var place = regexp.MustCompile(`\{([a-z_]+)\}`)

func places(sentences ...string) []string {
	set := map[string]bool{}
	for _, s := range sentences {
		for _, m := range place.FindAllStringSubmatch(s, -1) {
			set[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Both languages have the same keys, places and kinds of text, and every plural
// form that CLDR gives the language.
func TestTextsOfBothLanguages(t *testing.T) {
	t.Parallel()
	all := texts(t).ByLang
	categories := map[string][]string{"en": {"one", "other"}, "ar": {"few", "many", "one", "other", "two", "zero"}}
	for _, key := range slices.Sorted(maps.Keys(all["en"])) {
		en, ar := all["en"][key], all["ar"][key]
		if _, ok := all["ar"][key]; !ok {
			t.Errorf("%s has no Arabic text", key)
			continue
		}
		if (en.Forms == nil) != (ar.Forms == nil) {
			t.Errorf("%s has plural forms in one language only", key)
		}
		for lang, m := range map[string]ui.Message{"en": en, "ar": ar} {
			if m.Forms != nil && !slices.Equal(slices.Sorted(maps.Keys(m.Forms)), categories[lang]) {
				t.Errorf("%s in %s needs the forms %v", key, lang, categories[lang])
			}
			for _, s := range m.All() {
				if strings.TrimSpace(s) != s || s == "" || strings.Contains(s, "  ") || strings.ContainsAny(s, "<>") {
					t.Errorf("%s in %s: empty, spaces around it, or markup: %q", key, lang, s)
				}
			}
		}
		// One and two may be words in Arabic, without the number.
		if !slices.Equal(places(en.All()...), places(ar.All()...)) {
			t.Errorf("%s: the places differ: %v, %v", key, places(en.All()...), places(ar.All()...))
		}
	}
	for key := range all["ar"] {
		if _, ok := all["en"][key]; !ok {
			t.Errorf("%s has no English text", key)
		}
	}
}

var (
	usedInPage   = regexp.MustCompile(`(?:\{\{-?\s*|\(|\s)t "([a-z0-9_.]+)"`)
	familyInPage = regexp.MustCompile(`(?:\{\{-?\s*|\(|\s)of "([a-z0-9_.]+)"`)
	keyShaped    = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)
)

// uses collects the keys and the families of keys that pages and Go name.
type uses struct {
	keys, families, words map[string]string // with the place of one use
}

func scan(t *testing.T) uses {
	t.Helper()
	u := uses{map[string]string{}, map[string]string{}, map[string]string{}}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch {
		case strings.HasSuffix(p, ".html"):
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			for _, m := range usedInPage.FindAllStringSubmatch(string(b), -1) {
				u.keys[m[1]] = p
			}
			for _, m := range familyInPage.FindAllStringSubmatch(string(b), -1) {
				u.families[m[1]] = p
			}
		case strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go"):
			u.source(t, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// source takes the literals that stand where a key does, and every other
// literal of a key's form as a possible use: a table may name keys too.
func (u uses) source(t *testing.T, p string) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, p, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{"T": 0, "Of": 0, "OfKind": 0, "Flash": 1}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && (keyShaped.MatchString(s) || strings.HasSuffix(s, ".")) {
				u.words[s] = p
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			i, ok := at[sel.Sel.Name]
			if !ok || len(n.Args) <= i {
				return true
			}
			lit, ok := n.Args[i].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, _ := strconv.Unquote(lit.Value)
			if strings.HasPrefix(sel.Sel.Name, "Of") {
				u.families[s] = p
			} else if keyShaped.MatchString(s) {
				u.keys[s] = p
			}
		}
		return true
	})
}

func TestEveryKeyIsUsedAndExists(t *testing.T) {
	t.Parallel()
	all, u := texts(t).ByLang["en"], scan(t)
	if len(u.keys) < 50 {
		t.Fatalf("only %d uses found: the search is broken", len(u.keys))
	}
	for key, where := range u.keys {
		if _, ok := all[key]; !ok {
			t.Errorf("%s: there is no text %s", where, key)
		}
	}
	inFamily := func(key, family string) bool { return strings.HasPrefix(key, family+".") }
	for family, where := range u.families {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(key string) bool { return inFamily(key, family) }) {
			t.Errorf("%s: there is no text of the family %s", where, family)
		}
	}
	for key := range all {
		_, named := u.keys[key]
		_, written := u.words[key]
		member := slices.ContainsFunc(slices.Collect(maps.Keys(u.families)), func(f string) bool { return inFamily(key, f) })
		built := slices.ContainsFunc(slices.Collect(maps.Keys(u.words)), func(w string) bool {
			return strings.HasSuffix(w, ".") && strings.Count(w, ".") > 1 && strings.HasPrefix(key, w)
		})
		if !named && !written && !member && !built {
			t.Errorf("nothing uses the text %s", key)
		}
	}
}

var (
	comment   = regexp.MustCompile(`(?s)\{\{/\*.*?\*/\}\}`)
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	code      = regexp.MustCompile(`(?s)<(code|pre)[^>]*>.*?</(code|pre)>`)
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	attribute = regexp.MustCompile(`\s(?:aria-label|aria-valuetext|title|placeholder|alt|data-confirm(?:-no)?)="([^"]*)"`)
	letter    = regexp.MustCompile(`\pL{2,}`)
)

// A sentence that stands in a template would never be translated.
func TestNoVisibleTextInTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("pages/*.html")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := filepath.Glob("pages/parts/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(files, parts...) {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		text := action.ReplaceAllString(comment.ReplaceAllString(string(b), " "), " ")
		for _, m := range attribute.FindAllStringSubmatch(text, -1) {
			if letter.MatchString(m[1]) {
				t.Errorf("%s: %q belongs in the texts", p, m[1])
			}
		}
		visible := tag.ReplaceAllString(code.ReplaceAllString(text, " "), " ")
		for _, word := range letter.FindAllString(visible, -1) {
			t.Errorf("%s: %q belongs in the texts", p, word)
		}
		for _, m := range inline.FindAllString(text, -1) {
			t.Errorf("%s: %q would be refused by the content policy", p, m)
		}
	}
}
