// Package ui owns what every page is made of: the renderer with its template
// functions, the texts of both languages, numbers and times as people read
// them, forms and their faults, flash messages, icons and the embedded assets.
//
// web and web/front build pages with it. It must know no noun, no session and
// no database.
package ui

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"bareed/internal/clock"
)

// Languages are those every page exists in; the first is the fallback.
func Languages() []string { return []string{"en", "ar"} }

// Config is what a UI is built from. Pages holds *.html and parts/*.html, Text
// one folder of *.json per language.
type Config struct {
	Pages fs.FS
	Text  fs.FS
	Clock clock.Clock

	// Assets are files beside those of this package, by name.
	Assets map[string][]byte
}

// UI renders pages. It is safe for use by many requests at once.
type UI struct {
	texts  *Texts
	assets *Assets
	clock  clock.Clock
	pages  map[string]*template.Template // parsed, never executed: only clones are

	mu    sync.Mutex
	bound map[binding]*template.Template
}

// binding is one page in one language and zone.
type binding struct{ page, lang, zone string }

// maxBound limits the clones that are kept; there are more zones than pages.
const maxBound = 1024

// New reads every text, page and asset, and refuses what does not parse.
func New(c Config) (*UI, error) {
	if c.Clock == nil {
		c.Clock = clock.System
	}
	u := &UI{clock: c.Clock, pages: map[string]*template.Template{}, bound: map[binding]*template.Template{}}
	var err error
	if u.texts, err = LoadTexts(c.Text); err != nil {
		return nil, err
	}
	if u.assets, err = loadAssets(c.Assets); err != nil {
		return nil, err
	}
	if err := u.parse(c.Pages); err != nil {
		return nil, err
	}
	return u, nil
}

// parse makes one template set per page: the parts, then the page, which may
// define any part anew.
func (u *UI) parse(files fs.FS) error {
	common, err := template.New("").Funcs(u.funcs(u.Locale("en", time.UTC))).ParseFS(files, "parts/*.html")
	if err != nil {
		return fmt.Errorf("read the parts of pages: %w", err)
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return fmt.Errorf("list the pages: %w", err)
	}
	for _, file := range names {
		set, err := common.Clone()
		if err != nil {
			return fmt.Errorf("prepare %s: %w", file, err)
		}
		if set, err = set.ParseFS(files, file); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		u.pages[strings.TrimSuffix(path.Base(file), ".html")] = set
	}
	return nil
}

// Pages lists the names of the pages.
func (u *UI) Pages() []string {
	var names []string
	for name := range u.pages {
		names = append(names, name)
	}
	return names
}

// Texts are the catalogue.
func (u *UI) Texts() *Texts { return u.texts }

// Assets serve the embedded files.
func (u *UI) Assets() *Assets { return u.assets }

// Locale binds a language ("ar", or English for any other) and a zone.
func (u *UI) Locale(lang string, zone *time.Location) Locale {
	if lang != "ar" {
		lang = "en"
	}
	if zone == nil {
		zone = time.UTC
	}
	return Locale{Lang: lang, Zone: zone, texts: u.texts, clock: u.clock}
}

// Render returns a whole page; data becomes the dot of its layout.
func (u *UI) Render(l Locale, page string, data any) ([]byte, error) {
	return u.Block(l, page, "layout", data)
}

// Block returns one template of a page, such as a fragment that is sent again
// when its figures change.
func (u *UI) Block(l Locale, page, block string, data any) ([]byte, error) {
	set, err := u.bind(l, page)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, block, data); err != nil {
		return nil, fmt.Errorf("write the page %s: %w", page, err)
	}
	return b.Bytes(), nil
}

// bind gives a clone of the page its functions; html/template escapes it once,
// at its first execution.
func (u *UI) bind(l Locale, page string) (*template.Template, error) {
	key := binding{page, l.Lang, l.Zone.String()}
	u.mu.Lock()
	defer u.mu.Unlock()
	if set, ok := u.bound[key]; ok {
		return set, nil
	}
	proto, ok := u.pages[page]
	if !ok {
		return nil, errors.New("there is no page " + page)
	}
	set, err := proto.Clone()
	if err != nil {
		return nil, fmt.Errorf("bind the page %s: %w", page, err)
	}
	if len(u.bound) >= maxBound {
		clear(u.bound)
	}
	u.bound[key] = set.Funcs(u.funcs(l))
	return u.bound[key], nil
}
