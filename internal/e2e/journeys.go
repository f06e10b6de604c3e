//go:build unix

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bareed/internal/e2e/look"
	"bareed/internal/rig"
)

// journey is one thing that a person comes to do, from signing in to its end.
type journey struct {
	name string
	walk func(ctx context.Context, t *look.Tab) error
}

// journeys walks one after the other: some go on where another ended.
func (r *run) journeys(ctx context.Context, res *result) []look.Fault {
	walk := &walker{run: r}
	var faults []look.Fault
	for _, j := range []journey{
		{"keyboard", walk.keyboard},
		{"campaign", walk.campaign},
		{"duplicate", walk.duplicate},
		{"hold", walk.hold},
		{"opt-out", walk.optOut},
		{"viewer", walk.viewer},
		{"operator", walk.operator},
	} {
		if r.Journeys != nil && !r.Journeys.MatchString(j.name) || ctx.Err() != nil {
			continue
		}
		began := time.Now()
		noise, err := r.walk(ctx, j)
		noise = append(noise, walk.faults...)
		walk.faults = nil
		for _, f := range noise {
			f.Page = strings.TrimSuffix("journey "+j.name+", "+f.Page, ", ")
			faults = append(faults, f)
		}
		res.Journeys++
		if err != nil {
			res.Failed = append(res.Failed, j.name)
			r.say("journey", "%s failed after %.1f s: %v", j.name, time.Since(began).Seconds(), err)
			continue
		}
		r.say("journey", "%s, %.1f s", j.name, time.Since(began).Seconds())
	}
	return faults
}

// walk gives a journey a browser profile of its own.
func (r *run) walk(ctx context.Context, j journey) ([]look.Fault, error) {
	t, err := r.browser.Profile()
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if err := t.Width(1360); err != nil {
		return nil, err
	}
	if err = j.walk(ctx, t); err != nil {
		said, _ := look.Eval[string](t, `document.querySelector("main").innerText.replace(/\s+/g, " ").slice(0, 600)`) // empty when the tab is gone
		err = fmt.Errorf("%w; the page says: %s", err, said)
	}
	return t.Noise(), err
}

// walker keeps what one journey leaves for the next.
type walker struct {
	*run
	done string // the campaign that was sent
	held string // the campaign that was held
	left string // the contact who wrote STOP meanwhile

	faults []look.Fault
}

// text is a text of the catalogue in English.
func (w *walker) text(key string) string { return w.texts["en"][key].Text }

// in signs a person in, by mouse.
func (w *walker) in(t *look.Tab, l rig.Login) error {
	if err := t.Open(w.world.rig.URL + "/sign-in"); err != nil {
		return err
	}
	return steps(
		func() error { return t.Fill("input[name=email]", l.Email) },
		func() error { return t.Fill("input[name=password]", l.Password) },
		func() error { return t.Press("main form button.primary") },
		func() error { return t.Until("the first page", "location.pathname !== '/sign-in'") },
	)
}

// steps runs one after the other.
func steps(list ...func() error) error {
	for _, s := range list {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// judged looks at the page that a journey came to, as the matrix would.
func (w *walker) judged(t *look.Tab, what string) error {
	faults, err := t.Examine(look.Options{Lang: "en", Views: look.Views()[:1]})
	if err != nil {
		return err
	}
	for _, f := range faults {
		f.Page = what
		w.faults = append(w.faults, f)
	}
	return nil
}

const next = "main form button.primary"

// upload takes a file as far as the last page before it is imported.
func upload(t *look.Tab, file string) error {
	return steps(
		func() error { return t.File("input[type=file]", file) },
		func() error { return t.Press(next) },
		func() error { return t.Choose("#default_country", "SA") },
		func() error { return t.Press(next) },
		func() error { return t.Click("input[name=covers][value=rows]") },
		func() error { return tick(t, "input[name=purposes][value=marketing]") },
		func() error { return t.Choose("#method", "web_form") },
		func() error { return t.Fill("#source", "https://acme.example/join") },
		func() error { return t.Fill("#wording", "Acme may send me offers on WhatsApp.") },
		func() error { return t.Fill("#business_name", "Acme") },
		func() error { return t.Press(next) },
		func() error { return t.Until("the file's check", "location.pathname.endsWith('/check')") },
	)
}

// tick sets a box unless it is set.
func tick(t *look.Tab, selector string) error {
	if err := t.Has(selector); err != nil {
		return err
	}
	set, err := look.Eval[bool](t, fmt.Sprintf("document.querySelector(%q).checked", selector))
	if err != nil || set {
		return err
	}
	return t.Click(selector)
}
