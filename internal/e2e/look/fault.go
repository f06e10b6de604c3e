package look

import (
	"fmt"
	"strings"
)

// Kind is what a fault is about.
type Kind string

// The kinds.
const (
	Access       Kind = "axe"          // a rule of axe-core
	Overflow     Kind = "overflow"     // the page is wider than the window
	Untranslated Kind = "untranslated" // words of the other language, keys, unfilled places
	Direction    Kind = "direction"    // lang or dir of the page
	Console      Kind = "console"      // an error in the console
	Policy       Kind = "policy"       // the content policy was violated
	Outside      Kind = "outside"      // a request to another machine
	Status       Kind = "status"       // the page did not come
	Coverage     Kind = "coverage"     // nobody says with which object a page is opened
)

// Fault is one thing that is wrong with one page.
type Fault struct {
	Kind   Kind
	Page   string // its path
	Lang   string // en, ar
	Theme  string // light, dark
	Width  int    // CSS pixels
	Rule   string
	Where  string // selector or address
	Detail string
}

func (f Fault) String() string {
	at := []string{f.Page, f.Lang, f.Theme}
	if f.Width > 0 {
		at = append(at, fmt.Sprintf("%d px", f.Width))
	}
	at = append(at, string(f.Kind), f.Rule, f.Where)
	return strings.Join(strings.Fields(strings.Join(at, " ")), " ") + ": " + f.Detail
}
