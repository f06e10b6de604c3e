// Package front owns what stands between a connection and a handler: request
// ids and headers, credentials and permissions, strict JSON, idempotency keys,
// rate limits, problems, pages of lists, the request log, metrics and the
// OpenAPI description. It knows routes as rows of a table it is given.
//
// api builds one and registers its handlers with Add and Raw. It must not know
// any noun but accounts.
package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front/quota"
	"bareed/internal/clock"
	"bareed/internal/errs"
	"bareed/internal/pg"
)

// Limits of every request. A long one is an upload or a stream.
const (
	MaxJSON    = 1 << 20
	MaxUpload  = 256 << 20
	maxHeader  = 64 << 10
	jsonTime   = 30 * time.Second
	uploadTime = 15 * time.Minute
)

// Config is what a Front is built from. Pool and Vault are needed.
type Config struct {
	Pool           *pg.Pool
	Vault          *accounts.Vault
	Clock          clock.Clock
	Log            *slog.Logger
	BaseURL        string       // as people reach us, in links
	TrustedProxies []string     // only from these is X-Forwarded-For believed
	Web            http.Handler // every path that is not ours; none: 404
	Routes         []Route      // the table
	KeyRate        int          // requests a second of one credential; 100 by default
	WorkspaceRate  int          // requests a second of one workspace; 600 by default
}

// Front is the surface. Handler serves it inside another server, Run listens
// and does the background work too.
type Front struct {
	Config
	engine  *gin.Engine
	huma    huma.API
	rows    map[string]Route        // by "METHOD /path"
	bodies  map[string]reflect.Type // of JSON bodies, by the same key
	faults  []error                 // of registration
	journal *journal
	metrics *metrics
	rates   *quota.Rates
	handler http.Handler
}

// New builds a front without handlers.
func New(c Config) (*Front, error) {
	if c.Pool == nil || c.Vault == nil {
		return nil, errors.New("build the front: Pool and Vault are needed")
	}
	if c.Clock == nil {
		c.Clock = clock.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	gin.SetMode(gin.ReleaseMode)
	f := &Front{Config: c, engine: gin.New(), rows: make(map[string]Route), bodies: make(map[string]reflect.Type)}
	f.journal = newJournal(c.Pool, c.Log)
	f.metrics = newMetrics(f.journal)
	f.rates = quota.New(c.Clock, orElse(c.KeyRate, 100), orElse(c.WorkspaceRate, 600))
	for _, r := range c.Routes {
		f.rows[r.Route] = r
	}
	if err := f.engine.SetTrustedProxies(c.TrustedProxies); err != nil {
		return nil, fmt.Errorf("build the front: trusted proxies: %w", err)
	}
	f.engine.RedirectTrailingSlash = false
	f.engine.HandleMethodNotAllowed = true
	f.engine.Use(f.observe, f.recover, f.keyInURL)
	f.engine.NoRoute(f.otherPath)
	f.engine.NoMethod(func(c *gin.Context) {
		f.Refuse(c, errs.New("method_not_allowed", "method", errs.Clip(c.Request.Method)))
	})
	f.huma = huma.NewAPI(f.describe(), adapter{f})
	return f, f.wrap()
}

func orElse(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}

// wrap puts what must see every request around the router: the request id,
// and the refusal of what another site made a browser send (cookies travel
// with it). Meta's webhook is signed and has no cookie.
func (f *Front) wrap() error {
	cross := http.NewCrossOriginProtection()
	cross.AddInsecureBypassPattern("POST /webhooks/meta/")
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.writeProblem(w, r, errs.New("csrf"))
	}))
	if origin := strings.TrimSuffix(f.BaseURL, "/"); origin != "" {
		if err := cross.AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("build the front: the base URL: %w", err)
		}
	}
	f.handler = f.begin(cross.Handler(f.engine))
	return nil
}

// Faults are what was wrong with the registrations so far; a route without a
// row is one.
func (f *Front) Faults() error { return errors.Join(f.faults...) }

// API is huma's, for schemas of routes it does not know.
func (f *Front) API() huma.API { return f.huma }

// Registered lists what is really answered, as "METHOD /path" in gin's writing.
func (f *Front) Registered() []string {
	var all []string
	for _, r := range f.engine.Routes() {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

// Handler is the whole surface.
func (f *Front) Handler() http.Handler { return f.handler }

// Run serves ln until ctx ends, then takes no more requests, ends the streams
// (see UntilShutdown) and gives what is under way 20 seconds.
func (f *Front) Run(ctx context.Context, ln net.Listener) error {
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	srv := &http.Server{
		Handler: f.handler,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), streamsKey{}, streams)
		},
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(f.Log.Handler(), slog.LevelDebug),
	}
	srv.RegisterOnShutdown(endStreams)
	written := make(chan struct{})
	journalCtx, stopJournal := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(written)
		f.journal.run(journalCtx)
	}()
	defer func() {
		stopJournal()
		<-written
	}()

	return Serve(ctx, srv, ln, 20*time.Second)
}

// Serve answers until ctx ends, and then lets requests in progress finish for as
// long as grace.
func Serve(ctx context.Context, srv *http.Server, ln net.Listener, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := srv.Shutdown(stopping)
	if err != nil {
		_ = srv.Close() // those that did not end in time are cut off
	}
	<-served
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

type streamsKey struct{}

// UntilShutdown is ctx for an answer without an end of its own: it ends when
// the server stops, so that an open stream does not hold the process. Its
// client connects again, to another process. Call the cancel.
func UntilShutdown(ctx context.Context) (context.Context, context.CancelFunc) {
	streams, ok := ctx.Value(streamsKey{}).(context.Context)
	ctx, cancel := context.WithCancel(ctx)
	if !ok {
		return ctx, cancel
	}
	release := context.AfterFunc(streams, cancel)
	return ctx, func() {
		release()
		cancel()
	}
}

// FlushLog writes the request log now.
func (f *Front) FlushLog(ctx context.Context) { f.journal.flush(ctx) }
