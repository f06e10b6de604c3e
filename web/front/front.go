// Package front owns what stands between a request and a page: the session and
// its cookies, language and appearance, who may open what, headers, forms,
// flash messages, and the pages of faults. It knows routes as rows of a table it
// is given and pages as names of templates.
//
// web builds one and registers its handlers with Handle. It must not know any
// noun but accounts.
package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"bareed/accounts"
	"bareed/internal/clock"
	"bareed/internal/pg"
	"bareed/web/ui"
)

// Config is what a Front is built from. Pool, Vault, UI and Routes are needed.
type Config struct {
	Pool    *pg.Pool
	Vault   *accounts.Vault
	UI      *ui.UI
	Clock   clock.Clock
	Log     *slog.Logger
	BaseURL string // as people reach us; https makes cookies secure
	Routes  []Route
	Nav     []Nav

	// Until bounds an answer without an end of its own, so that an open stream
	// does not hold a process that stops; nil: the request's own end.
	Until func(context.Context) (context.Context, context.CancelFunc)
}

// Route is one row of the table of pages.
type Route struct {
	Route  string          // "POST /campaigns/{campaign}/launch"
	Action accounts.Action // who may: accounts.Rules; empty only with Public
	Public bool            // also without a session
	Open   bool            // also while the workspace is suspended
	Long   bool            // may take minutes: an upload, a stream
}

// Method is the row's HTTP method.
func (r Route) Method() string { m, _, _ := strings.Cut(r.Route, " "); return m }

// Path is the row's path with its {names}.
func (r Route) Path() string { _, p, _ := strings.Cut(r.Route, " "); return p }

// Nav is one entry of the navigation, shown to those who may take the action.
type Nav struct {
	Key    string // of its text
	Path   string
	Icon   string
	Action accounts.Action
	Apart  bool // below a line
}

// Handler answers one request; an error becomes a page.
type Handler func(c *Call) error

// Front answers pages.
type Front struct {
	Config
	mux     *http.ServeMux
	rows    map[string]Route
	handled map[string]bool
	faults  []error
	secure  bool
}

// The limits of every request. A long one is an upload or a stream.
const (
	maxForm  = 1 << 20
	pageTime = 30 * time.Second
	longTime = 15 * time.Minute
)

// New builds a front without handlers.
func New(c Config) (*Front, error) {
	if c.Pool == nil || c.Vault == nil || c.UI == nil {
		return nil, errors.New("build the pages: Pool, Vault and UI are needed")
	}
	if c.Clock == nil {
		c.Clock = clock.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Until == nil {
		c.Until = context.WithCancel
	}
	f := &Front{Config: c, mux: http.NewServeMux(), rows: map[string]Route{}, handled: map[string]bool{},
		secure: strings.HasPrefix(c.BaseURL, "https://")}
	for _, r := range c.Routes {
		if _, twice := f.rows[r.Route]; twice {
			f.faults = append(f.faults, fmt.Errorf("the page %q stands twice in the table", r.Route))
		}
		if _, known := accounts.RuleOf(r.Action); !known && !r.Public {
			f.faults = append(f.faults, fmt.Errorf("the page %q names no action of the table of roles", r.Route))
		}
		f.rows[r.Route] = r
	}
	f.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, Route{Public: true, Open: true}, notFound) })
	f.mux.HandleFunc("GET "+ui.AssetPath, f.asset)
	return f, nil
}

// Handle registers the handler of a row.
func (f *Front) Handle(key string, h Handler) {
	row, ok := f.rows[key]
	if !ok {
		f.faults = append(f.faults, fmt.Errorf("the page %q has no row in the table", key))
		return
	}
	if f.handled[key] {
		f.faults = append(f.faults, fmt.Errorf("the page %q is handled twice", key))
		return
	}
	f.handled[key] = true
	f.mux.HandleFunc(key, func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, row, h) })
}

// Faults are what was wrong with the table and the registrations: a page
// without a row, a row without a page.
func (f *Front) Faults() error {
	faults := f.faults
	for _, r := range f.Routes {
		if !f.handled[r.Route] {
			faults = append(faults, fmt.Errorf("the row %q has no handler", r.Route))
		}
	}
	return errors.Join(faults...)
}

// Handler serves every page and asset. What another site made a browser send
// is refused here too, whoever mounts it: the session's cookie travels with it.
func (f *Front) Handler() (http.Handler, error) {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.serve(w, r, Route{Public: true, Open: true}, crossOrigin)
	}))
	if f.BaseURL != "" {
		if err := cross.AddTrustedOrigin(strings.TrimSuffix(f.BaseURL, "/")); err != nil {
			return nil, fmt.Errorf("build the pages: the base URL: %w", err)
		}
	}
	return cross.Handler(f.mux), nil
}

func (f *Front) asset(w http.ResponseWriter, r *http.Request) {
	if !f.UI.Assets().Serve(w, r) {
		f.serve(w, r, Route{Public: true, Open: true}, notFound)
	}
}
