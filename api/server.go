// Package api owns the HTTP surface: JSON for programs under /v1, Meta's
// webhook door, health, the OpenAPI description and the operators' view of the
// queues. Handlers are thin: they call a noun inside Pool.InWorkspace and print
// what it returns; every rule lives in the noun, and everything in front of a
// handler in api/front.
//
// cmd builds a Server and runs it. It must not talk to Meta, enqueue, or hold
// SQL of a noun.
package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"bareed/accounts"
	"bareed/api/access"
	"bareed/api/caps"
	"bareed/api/describe"
	"bareed/api/firings"
	"bareed/api/front"
	"bareed/api/manual"
	"bareed/api/money"
	"bareed/api/outcomes"
	"bareed/api/people"
	"bareed/api/planner"
	"bareed/api/portfolios"
	"bareed/api/quality"
	"bareed/api/transports"
	"bareed/api/waves"
	"bareed/campaigns/breaker"
	"bareed/campaigns/live"
	"bareed/internal/clock"
	"bareed/internal/pg"
	"bareed/numbers"
)

// Config is what a Server is built from. Pool, Vault and Hasher are needed.
type Config struct {
	Pool   *pg.Pool
	Vault  *accounts.Vault
	Hasher *accounts.Hasher
	Clock  clock.Clock
	Log    *slog.Logger

	BaseURL        string   // as people reach us, such as https://bareed.example; in links
	TrustedProxies []string // only from these is X-Forwarded-For believed; none by default

	Limits  breaker.Limits // the operator's, of what holds a campaign; the program's own when zero
	Blocked []string       // countries that the operator lets nothing go to

	Live *live.Hub // of those who watch campaigns; one of its own by default

	Probe numbers.Probe // asks Meta about a number to connect; without it none can be

	KeyRate       int // requests a second of one credential, in this process; 100 by default
	WorkspaceRate int // requests a second of one workspace; 600 by default

	Checks    []Check      // of readiness, besides the database
	Dashboard http.Handler // of the queues, for operators under /ops/queues
	Web       http.Handler // the pages: every path that is not ours
}

// Server is the HTTP surface: everything of front.Front (Handler, Run,
// MetricsHandler) with the handlers registered.
type Server struct {
	Config
	*front.Front
}

// New builds the server and registers every route. It refuses a route without
// a row in the table.
func New(c Config) (*Server, error) { return newServer(c, routes()) }

func newServer(c Config, table []route) (*Server, error) {
	if c.Hasher == nil {
		return nil, errors.New("build the API: Hasher is needed")
	}
	if c.Clock == nil {
		c.Clock = clock.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Live == nil {
		c.Live = live.New(live.Config{Pool: c.Pool, Log: c.Log, Clock: c.Clock})
	}
	f, err := front.New(front.Config{
		Pool: c.Pool, Vault: c.Vault, Clock: c.Clock, Log: c.Log, BaseURL: c.BaseURL, TrustedProxies: c.TrustedProxies,
		Web: c.Web, Routes: table, KeyRate: c.KeyRate, WorkspaceRate: c.WorkspaceRate,
	})
	if err != nil {
		return nil, fmt.Errorf("build the API: %w", err)
	}
	s := &Server{Config: c, Front: f}
	s.register()
	s.liveGauges()
	if err := f.Faults(); err != nil {
		return nil, fmt.Errorf("build the API: %w", err)
	}
	return s, s.describe(table)
}

// register lists the nouns; each adds its handlers in a file of its own.
func (s *Server) register() {
	s.health()
	access.Register(access.Config{Front: s.Front, Hasher: s.Hasher, Dashboard: s.Dashboard})
	people.Register(s.Front)
	s.numbers()
	s.templates()
	s.campaigns()
	outcomes.Register(s.Front)
	waves.Register(s.Front, s.Limits)
	money.Register(s.Front)
	caps.Register(s.Front, s.Blocked)
	firings.Register(s.Front)
	planner.Register(s.Front)
	quality.Register(s.Front)
	transports.Register(s.Front)
	portfolios.Register(s.Front)
	s.webhooks()
	s.openapi()
	manual.Register(s.Front)
}

// describe completes the OpenAPI description when every route is there.
func (s *Server) describe(table []route) error {
	if err := describe.Finish(s.Front, table); err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	return nil
}
