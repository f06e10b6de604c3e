//go:build unix

package look

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed inspect.js
var inspect string

// View is one way to look at a page.
type View struct {
	Theme string // light, dark
	Width int
	Axe   bool // with axe-core
}

// Views are how each page is looked at: overflow, language and texts in every
// one; axe-core in both themes at full width and once at 320 px, where tables
// become cards. The fourth differs from the third by colours alone, which the
// second has judged.
func Views() []View {
	return []View{{"light", wide, true}, {"dark", wide, true}, {"dark", narrow, false}, {"light", narrow, true}}
}

// Options of Examine.
type Options struct {
	Lang    string
	Views   []View
	Foreign bool // a page of another project: its texts and accessibility are not ours to judge
	Each    func(View) error
}

// Examine judges the page that is shown. The window is left in the last view.
func (t *Tab) Examine(o Options) ([]Fault, error) {
	var faults []Fault
	for i, v := range o.Views {
		if err := t.Theme(v.Theme); err != nil {
			return nil, err
		}
		if err := t.Width(v.Width); err != nil {
			return nil, err
		}
		found, err := t.view(o, v, i == 0)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			f.Lang, f.Theme, f.Width = o.Lang, v.Theme, v.Width
			faults = append(faults, f)
		}
		if o.Each != nil {
			if err := o.Each(v); err != nil {
				return nil, err
			}
		}
	}
	return faults, nil
}

// view judges one view; what does not depend on it is judged in the first.
func (t *Tab) view(o Options, v View, first bool) ([]Fault, error) {
	r, err := Eval[reading](t, inspect)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.Where(), err)
	}
	faults := r.layout()
	if o.Foreign {
		return faults, nil
	}
	if first {
		faults = append(faults, r.language(o.Lang, t.browser.Words)...)
		if r.Headings != 1 || r.Mains != 1 {
			faults = append(faults, Fault{Kind: Access, Rule: "outline", Where: "body",
				Detail: fmt.Sprintf("%d headings of the first rank and %d main parts, one of each is wanted", r.Headings, r.Mains)})
		}
	}
	if v.Axe && t.browser.Axe != "" {
		found, err := t.axe()
		for range 2 { // a page that loads itself again takes axe-core away
			if err == nil {
				break
			}
			if err := t.Until("the page", "document.readyState === 'complete'"); err != nil {
				return nil, err
			}
			found, err = t.axe()
		}
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	return faults, nil
}

// runAxe asks for WCAG 2.0 to 2.2, A and AA, and axe's good practice. Frames are
// another project's pages.
const runAxe = `axe.run(document, {iframes: false, preload: false, resultTypes: ["violations"],
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]}).then((r) =>
	r.violations.map((v) => ({rule: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => ({at: n.target.join(" "), why: n.failureSummary}))})))`

func (t *Tab) axe() ([]Fault, error) {
	there, err := Eval[bool](t, "!!window.axe")
	if err != nil {
		return nil, err
	}
	if !there {
		if _, err := Eval[bool](t, t.browser.Axe+";true"); err != nil {
			return nil, fmt.Errorf("load axe-core: %w", err)
		}
	}
	broken, err := Eval[[]struct {
		Rule  string                     `json:"rule"`
		Help  string                     `json:"help"`
		Nodes []struct{ At, Why string } `json:"nodes"`
	}](t, runAxe)
	if err != nil {
		return nil, fmt.Errorf("run axe-core at %s: %w", t.Where(), err)
	}
	var faults []Fault
	for _, b := range broken {
		for _, n := range b.Nodes {
			why := strings.Join(strings.Fields(n.Why), " ")
			faults = append(faults, Fault{Kind: Access, Rule: b.Rule, Where: n.At, Detail: b.Help + " (" + why + ")"})
		}
	}
	return faults, nil
}
