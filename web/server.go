// Package web owns the pages for people: server-rendered, in English and Arabic,
// working without script. Handlers are thin: they call a noun inside
// Call.InWorkspace and render what it returns; every rule lives in the noun,
// what stands in front of a handler in web/front, and what pages are made of in
// web/ui.
//
// cmd builds a Server and api mounts it on every path that is not its own. It
// must not talk to Meta, enqueue, or hold SQL of a noun.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"

	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/campaigns/live"
	"bareed/internal/clock"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/web/caps"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/people"
	"bareed/web/portfolio"
	"bareed/web/rules"
	"bareed/web/ui"
	"bareed/web/wizard"
)

//go:embed pages text
var files embed.FS

// Config is what a Server is built from. Pool, Vault and Hasher are needed.
type Config struct {
	Pool    *pg.Pool
	Vault   *accounts.Vault
	Hasher  *accounts.Hasher
	Clock   clock.Clock
	Log     *slog.Logger
	BaseURL string // as people reach us, such as https://bareed.example

	// UI renders the pages; read from what is embedded by default. Several servers
	// of one clock may share one.
	UI *ui.UI

	// Live is where campaigns are watched; the pages' own by default.
	Live    *live.Hub
	Limits  breaker.Limits                        // the operator's, of what holds a campaign
	Blocked []string                              // countries that the operator lets nothing go to
	Probe   numbers.Probe                         // asks Meta about a number to connect; without it none can be
	Queues  func(context.Context) (Queues, error) // how the queues stand, for the operator; none: not shown

	// Until bounds a stream: it ends when the server stops.
	Until func(context.Context) (context.Context, context.CancelFunc)
}

// Server is every page.
type Server struct {
	Config
	*front.Front
	handler http.Handler
}

// New builds the server and registers every page. It refuses a page without a
// row in the table and a row without a page.
func New(c Config) (*Server, error) {
	if c.Hasher == nil {
		return nil, errors.New("build the pages: Hasher is needed")
	}
	if c.UI == nil {
		var err error
		if c.UI, err = NewUI(c.Clock); err != nil {
			return nil, fmt.Errorf("build the pages: %w", err)
		}
	}
	f, err := front.New(front.Config{Pool: c.Pool, Vault: c.Vault, UI: c.UI, Clock: c.Clock, Log: c.Log,
		BaseURL: c.BaseURL, Routes: routes(), Nav: navigation(), Until: c.Until})
	if err != nil {
		return nil, err
	}
	if c.Live == nil {
		c.Live = live.New(live.Config{Pool: c.Pool, Log: c.Log})
	}
	s := &Server{Config: c, Front: f}
	s.register()
	if err := f.Faults(); err != nil {
		return nil, fmt.Errorf("build the pages: %w", err)
	}
	s.handler, err = f.Handler()
	return s, err
}

// NewUI reads the embedded pages and texts.
func NewUI(c clock.Clock) (*ui.UI, error) {
	pages, err := fs.Sub(files, "pages")
	if err != nil {
		return nil, fmt.Errorf("find the pages: %w", err)
	}
	text, err := fs.Sub(files, "text")
	if err != nil {
		return nil, fmt.Errorf("find the texts: %w", err)
	}
	return ui.New(ui.Config{Pages: pages, Text: text, Clock: c, Assets: map[string][]byte{"charts.css": charts.Stylesheet}})
}

// ServeHTTP answers a page or an asset.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// register lists the areas; each adds its pages in a file of its own.
func (s *Server) register() {
	s.signing()
	s.preferences()
	s.home()
	s.campaigns()
	wizard.Register(s.Front)
	people.Register(s.Front)
	portfolio.Register(s.Front)
	s.templates()
	s.numbers()
	money.Register(s.Front)
	caps.Register(s.Front, s.Blocked)
	s.settings()
	rules.Register(s.Front, s.Limits)
	s.ops()
	s.components()
}
