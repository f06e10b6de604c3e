//go:build unix

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"bareed/internal/e2e/look"
)

// matrix opens every page in both languages, themes and widths.
type matrix struct {
	*run
	mu     sync.Mutex
	faults []look.Fault
	seen   int // renderings: page, language, theme, width
	pages  int
}

// job is one page in one language.
type job struct {
	target
	lang string
}

// tabs per language: two pages at a time keep two cores busy.
const tabs = 1

func (m *matrix) all(ctx context.Context) error {
	if err := m.draft(); err != nil {
		m.add(look.Fault{Kind: look.Coverage, Page: "/audiences/{audience}/drafts/{draft}", Rule: "object", Detail: err.Error()})
	}
	list, without := m.world.targets()
	for _, w := range without {
		m.add(look.Fault{Kind: look.Coverage, Page: w, Rule: "object", Detail: "say in internal/e2e/objects.go which object to open it with"})
	}
	jobs := map[string][]job{}
	for _, t := range list {
		if m.Pages != nil && !m.Pages.MatchString(t.path) {
			continue
		}
		html, err := m.probe(ctx, t)
		if err != nil {
			return err
		}
		if !html {
			continue
		}
		m.pages++
		for _, lang := range []string{"en", "ar"} {
			if t.only == "" || t.only == lang {
				jobs[lang] = append(jobs[lang], job{t, lang})
			}
		}
	}
	if m.Pages != nil && m.pages == 0 {
		return fmt.Errorf("no page's path matches %s", m.Pages)
	}
	var group sync.WaitGroup
	errs := make([]error, 2)
	for i, lang := range []string{"en", "ar"} {
		group.Go(func() { errs[i] = m.language(ctx, lang, jobs[lang]) })
	}
	group.Wait()
	return first(errs)
}

// language works off one language's pages in tabs that share their cookies.
func (m *matrix) language(ctx context.Context, lang string, jobs []job) error {
	people, err := m.profiles(ctx, lang)
	if err != nil {
		return err
	}
	queue := make(chan job, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	errs := make([]error, tabs)
	var group sync.WaitGroup
	for i := range tabs {
		mine := map[string]*look.Tab{}
		for who, t := range people {
			if mine[who], err = t.Beside(); err != nil {
				return err
			}
		}
		group.Go(func() {
			for j := range queue {
				if errs[i] = ctx.Err(); errs[i] != nil {
					return
				}
				if err := m.page(mine[j.who], j); err != nil { // the others still tell their faults
					m.add(look.Fault{Kind: look.Status, Page: j.path, Lang: j.lang, Rule: "browser", Detail: err.Error()})
				}
			}
		})
	}
	group.Wait()
	return first(errs)
}

// probe asks for a page without a browser: what is no page (a download, a
// stream) only has to come. A status other than the right one is a fault.
func (m *matrix) probe(ctx context.Context, t target) (html bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends a stream
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.world.rig.URL+t.path, nil)
	if err != nil {
		return false, err
	}
	if s := m.sessions[t.who]; s != "" {
		req.Header.Set("Cookie", sessionCookie+"="+s+"; __Host-session="+s)
	}
	res, err := m.world.follow().Do(req)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", t.path, err)
	}
	defer res.Body.Close()
	kind := res.Header.Get("Content-Type")
	html = strings.HasPrefix(kind, "text/html")
	if !strings.HasPrefix(kind, "text/event-stream") {
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return false, fmt.Errorf("read %s: %w", t.path, err)
		}
	}
	want := "200"
	switch {
	case t.path == "/nothing-here":
		want = "404"
	case slices.Contains(elsewhere, t.route):
		if res.StatusCode == http.StatusSeeOther {
			want, html = "303", false
		}
	case !html && res.StatusCode == http.StatusNoContent:
		want = "204"
	}
	if got := fmt.Sprint(res.StatusCode); got != want {
		m.add(look.Fault{Kind: look.Status, Page: t.path, Rule: t.route, Where: res.Header.Get("Location"), Detail: "answered " + got + ", want " + want})
		return false, nil
	}
	return html, nil
}

// page judges one page.
func (m *matrix) page(t *look.Tab, j job) error {
	t.Noise()
	if err := t.Theme("light"); err != nil {
		return err
	}
	if err := t.Width(1360); err != nil {
		return err
	}
	if err := t.Open(m.world.rig.URL + j.path); err != nil {
		return err
	}
	if j.once != "" {
		if err := t.Has(j.once); err != nil {
			return err
		}
	}
	o := look.Options{Lang: j.lang, Views: look.Views(), Foreign: j.foreign}
	if m.Shots != "" {
		o.Each = func(v look.View) error { return m.shoot(t, j, v) }
	}
	faults, err := t.Examine(o)
	if err != nil {
		return err
	}
	for _, f := range t.Noise() {
		if j.path == "/nothing-here" && f.Kind == look.Console && strings.Contains(f.Detail, "404") {
			continue
		}
		f.Lang = j.lang
		faults = append(faults, f)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen += len(o.Views)
	for _, f := range faults {
		f.Page = j.path
		m.faults = append(m.faults, f)
	}
	return nil
}

func (m *matrix) add(f look.Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, f)
}

var (
	anID   = regexp.MustCompile(`/[a-z]+_[0-9a-zA-Z]{10,}`)
	unsafe = regexp.MustCompile(`[^a-z0-9]+`)
)

func (m *matrix) shoot(t *look.Tab, j job, v look.View) error {
	b, err := t.Shot()
	if err != nil {
		return fmt.Errorf("take a picture: %w", err)
	}
	name := strings.Trim(unsafe.ReplaceAllString(anID.ReplaceAllString(j.path, "/x"), "-"), "-")
	if name == "" {
		name = "home"
	}
	for campaign, word := range m.world.shots {
		if strings.Contains(j.path, campaign) {
			name += word
		}
	}
	file := fmt.Sprintf("%s.%s.%s.%d.png", name, j.lang, v.Theme, v.Width)
	return os.WriteFile(filepath.Join(m.Shots, file), b, 0o644)
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
