package ui

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Message is one text of the catalogue: Text, or Forms by the CLDR categories
// (zero, one, two, few, many, other) that the number {n} picks from.
type Message struct {
	Text  string
	Forms map[string]string
}

// UnmarshalJSON reads "text" or {"one": "text", "other": "text"}.
func (m *Message) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &m.Text)
	}
	return json.Unmarshal(b, &m.Forms)
}

// All are the message's sentences.
func (m Message) All() []string {
	if m.Forms == nil {
		return []string{m.Text}
	}
	var all []string
	for _, s := range m.Forms {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// Texts is the catalogue of visible sentences, by language and key. A key
// begins with the area it belongs to, which is the name of its file.
type Texts struct {
	ByLang map[string]map[string]Message
}

// LoadTexts reads <language>/<area>.json of every language.
func LoadTexts(files fs.FS) (*Texts, error) {
	t := &Texts{ByLang: map[string]map[string]Message{}}
	for _, lang := range Languages() {
		t.ByLang[lang] = map[string]Message{}
		names, err := fs.Glob(files, lang+"/*.json")
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("find the texts in %s: %d files, %w", lang, len(names), err)
		}
		for _, name := range names {
			if err := t.read(files, lang, name); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *Texts) read(files fs.FS, lang, name string) error {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read the texts: %w", err)
	}
	var part map[string]Message
	if err := json.Unmarshal(b, &part); err != nil {
		return fmt.Errorf("read the texts of %s: %w", name, err)
	}
	area := strings.TrimSuffix(path.Base(name), ".json") + "."
	for key, m := range part {
		if !strings.HasPrefix(key, area) {
			return fmt.Errorf("read the texts of %s: %s does not begin with %s", name, key, area)
		}
		t.ByLang[lang][key] = m
	}
	return nil
}

// Has tells whether the key exists.
func (t *Texts) Has(key string) bool {
	_, ok := t.ByLang["en"][key]
	return ok
}

// forms are CLDR's names of the plural categories.
var forms = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two",
	plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// category picks a whole number's plural category (CLDR plural rules).
func category(lang string, n int64) string {
	if n < 0 {
		n = -n
	}
	tag := language.English
	if lang == "ar" {
		tag = language.Arabic
	}
	return forms[plural.Cardinal.MatchPlural(tag, int(n), 0, 0, 0, 0)]
}
