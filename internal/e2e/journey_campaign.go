//go:build unix

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"bareed/internal/e2e/look"
)

// keyboard signs in and fills the wizard's first step without a mouse.
func (w *walker) keyboard(_ context.Context, t *look.Tab) error {
	l := w.world.users["marketer"]
	if err := t.Open(w.world.rig.URL + "/sign-in"); err != nil {
		return err
	}
	return steps(
		func() error {
			return t.Until("the focus in the first field", "document.activeElement.name === 'email'")
		},
		func() error { return t.Type(l.Email) },
		func() error { return t.TabTo("input[name=password]") },
		func() error { return t.Type(l.Password) },
		func() error { return t.TabTo("main button.primary") },
		t.PressEnter,
		func() error { return t.TabTo("nav a[href='/campaigns']") },
		t.PressEnter,
		func() error { return t.TabTo("main a[href='/campaigns/new']") },
		t.PressEnter,
		func() error { return t.TabTo("input[name=name]") },
		func() error { return t.Type("By keyboard") },
		func() error { return t.TabTo("input[name=number]") },
		func() error { return t.Type(look.Space) },
		func() error { return t.TabTo("input[name=template]") },
		func() error { return t.Type(look.Space) },
		func() error { return t.TabTo("main form button[value=next]") },
		t.PressEnter,
		func() error {
			return t.Until("the draft", "/^\\/campaigns\\/cmp_.*\\/edit\\//.test(location.pathname)")
		},
		func() error { return t.See("By keyboard") },
	)
}

var campaignPath = regexp.MustCompile(`^/campaigns/(cmp_[0-9a-z]+)`)

// campaign is the product's main job, by a marketer: a file, its consent, a
// campaign in five steps, launched, watched, paused, resumed and completed.
func (w *walker) campaign(_ context.Context, t *look.Tab) error {
	file := filepath.Join(os.TempDir(), fmt.Sprintf("bareed-people-%d.csv", os.Getpid()))
	if err := os.WriteFile(file, people("+96655123", 240), 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	if err := w.in(t, w.world.users["marketer"]); err != nil {
		return err
	}
	if err := w.audience(t, file); err != nil {
		return fmt.Errorf("import the file: %w", err)
	}
	if err := w.define(t); err != nil {
		return fmt.Errorf("make the campaign: %w", err)
	}
	if err := w.watch(t); err != nil {
		return fmt.Errorf("watch the campaign: %w", err)
	}
	return nil
}

func (w *walker) audience(t *look.Tab, file string) error {
	return steps(
		func() error { return t.Open(w.world.rig.URL + "/audiences/new") },
		func() error { return t.Fill("input[name=name]", "Walked in") },
		func() error { return t.Press(next) },
		func() error { return t.Press("main a[href$='/import']") },
		func() error { return upload(t, file) },
		func() error { return t.Press(next) },
		func() error { return t.Until("the import", "/\\/imports\\/imp_/.test(location.pathname)") },
		func() error { return t.See(w.text("audiences.state.completed")) },
		func() error { return w.judged(t, "the import") },
	)
}

// define goes through the wizard's five steps.
func (w *walker) define(t *look.Tab) error {
	const on = "main form button[value=next]"
	return steps(
		func() error { return t.Open(w.world.rig.URL + "/campaigns/new") },
		func() error { return t.Fill("input[name=name]", "Walked through") },
		func() error { return t.Click("input[name=number]:not(:disabled)") },
		func() error {
			_, err := look.Eval[bool](t, `[...document.querySelectorAll("label.card-choice")].find((l) => l.querySelector("input[name=template]") && /^offer/.test(l.innerText.trim()) && / ?en\b/.test(l.innerText)).querySelector("input").click(), true`)
			return err
		},
		func() error { return t.Press(on) },
		func() error { return t.Has("select[name^='from.']") },
		func() error {
			return each(t, "select[name^='from.']", func(i int) error {
				return t.Choose(fmt.Sprintf("tr:nth-child(%d) select[name^='from.']", i+1), []string{"of:name", "of:city"}[i%2])
			})
		},
		func() error { return t.Press(on) },
		func() error { return t.Until("the audience", "location.pathname.endsWith('/edit/audience')") },
		func() error { return t.Click("input[name=audience]") },
		func() error { return t.Press(on) },
		func() error { return t.Until("the delivery", "location.pathname.endsWith('/edit/delivery')") },
		func() error { return t.Click("input[name=when][value=now]") },
		func() error { return t.Click("input[name=speed][value=full]") },
		func() error { return t.Press(on) },
		func() error { return t.Until("the check", "location.pathname.endsWith('/edit/check')") },
		func() error { return t.Press("#wizard-check form button") },
		func() error { return t.Has("#wizard-check a[href=confirm]") },
		func() error { return w.judged(t, "the check") },
		func() error { return t.Press("#wizard-check a[href=confirm]") },
		func() error { return t.Choose("#undo", "0") },
		func() error { return w.judged(t, "the confirmation") },
		func() error { return t.Press(".wizard-send") },
		func() error {
			return t.Until("the campaign", "/^\\/campaigns\\/cmp_[0-9a-z]+$/.test(location.pathname)")
		},
	)
}

// each calls f for every element that a selector finds.
func each(t *look.Tab, selector string, f func(int) error) error {
	n, err := look.Eval[int](t, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
	for i := range n {
		if err == nil {
			err = f(i)
		}
	}
	return err
}

// accepted reads the figure of what Meta took, from the page.
const accepted = `Number(document.querySelector("#campaign-figures a[href*='state=accepted']")?.closest("div")?.innerText.replace(/[^0-9]/g, "") || 0)`

// watch sees the figures move by themselves, pauses, resumes, sees the end.
func (w *walker) watch(t *look.Tab) error {
	m := campaignPath.FindStringSubmatch(t.Where())
	if m == nil {
		return fmt.Errorf("the page is %s", t.Where())
	}
	w.done = m[1]
	return steps(
		func() error { return t.Has("#campaign-pause") },
		func() error {
			_, err := look.Eval[bool](t, "window.stayed = true")
			return err
		},
		func() error { return t.Until("a first message", accepted+" > 0 && window.stayed") },
		func() error { return w.judged(t, "the running campaign") },
		func() error { return t.Press("#campaign-pause") },
		func() error { return t.Has("#campaign-resume") },
		func() error { return w.judged(t, "the paused campaign") },
		func() error { return t.Press("#campaign-resume") },
		func() error {
			if !strings.HasSuffix(t.Where(), "/resume") {
				return nil
			}
			return t.Press(next)
		},
		func() error { return t.See(w.text("campaigns.state.completed")) },
		func() error { return w.judged(t, "the completed campaign") },
	)
}

// duplicate makes a draft like the campaign that was sent, and goes on with it.
func (w *walker) duplicate(_ context.Context, t *look.Tab) error {
	if w.done == "" {
		return fmt.Errorf("it goes on where campaign ended: run that too")
	}
	return steps(
		func() error { return w.in(t, w.world.users["marketer"]) },
		func() error { return t.Open(w.world.rig.URL + "/campaigns/" + w.done) },
		func() error { return t.Press("#campaign-duplicate") },
		func() error { return t.See("Walked through (copy)") },
		func() error {
			return t.Until("another campaign's first step", "location.pathname.endsWith('/edit/message') && !location.pathname.includes('"+w.done+"')")
		},
		func() error { return w.judged(t, "the copy") },
		func() error { return t.Press("main form button[value=next]") },
		func() error { return t.Until("the audience", "location.pathname.endsWith('/edit/audience')") },
		func() error { return t.Has("input[name=audience]:checked") },
	)
}
