// Package phone makes the argument of the part "phone": a template filled for
// one person, as that person reads it.
//
// web's pages of templates, the wizard and a message's page call it. It reads
// nothing and knows no reader's rights: what may not be seen is left out of the
// values before.
package phone

import (
	"slices"
	"strings"

	"bareed/templates"
	"bareed/web/ui"
)

// Of is the argument: body, footer, buttons, a header of text or a medium named
// in words, and the direction of the template's own language.
func Of(l ui.Locale, t templates.Template, values templates.Values, caption string) map[string]any {
	p := templates.Show(t, values)
	lang, _, _ := strings.Cut(strings.ReplaceAll(t.Language, "_", "-"), "-")
	shown := map[string]any{"lang": lang, "dir": "auto", "header": p.Header, "body": p.Body, "footer": p.Footer, "buttons": p.Buttons, "caption": caption}
	if slices.Contains([]string{"ar", "he", "fa", "ur"}, lang) {
		shown["dir"] = "rtl"
	}
	if kind := strings.Trim(p.Header, "[]"); kind != p.Header && slices.Contains([]string{templates.Image, templates.Video, templates.Document, templates.Location}, kind) {
		shown["image"], shown["header"] = l.Of("templates.kind", kind), ""
	}
	return shown
}

// Columns names attributes in words, as in: city or Name.
func Columns(l ui.Locale, attributes []string) (text string) {
	for i, a := range attributes {
		if a == "name" || a == "phone" {
			a = l.Of("wizard.from", a)
		}
		if i == 0 {
			text = a
		} else {
			text = l.T("ui.or", "a", text, "b", a)
		}
	}
	return text
}
