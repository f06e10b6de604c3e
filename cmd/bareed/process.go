package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/config"
	"bareed/internal/pg"
	"bareed/internal/seal"
	"bareed/migrations"
	"bareed/queue"
)

// process holds what every long-running process is built on.
type process struct {
	config   *config.Config
	log      *slog.Logger
	pool     *pg.Pool
	vault    *accounts.Vault
	redis    *redis.Client
	registry *prometheus.Registry
}

// begin reads the configuration, connects, and refuses what could not be relied
// on: an old schema, a Redis that evicts keys.
func begin(ctx context.Context, name string) (*process, error) {
	c, err := config.Load(os.Environ(), "DATABASE_URL", "REDIS_URL", "BAREED_MASTER_KEY")
	if err != nil {
		return nil, err
	}
	p := &process{config: c, log: logger(c).With("process", name), registry: prometheus.NewRegistry()}
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p.pool, err = pg.Open(ctx, pg.Config{URL: c.DatabaseURL, AppURL: c.DatabaseAppURL, EngineURL: c.DatabaseEngineURL,
		MaxConns: int32(c.DatabaseConns)})
	if err != nil {
		return nil, err
	}
	if err := migrations.Check(ctx, p.pool.Engine()); err != nil {
		p.pool.Close()
		return nil, err
	}
	if p.vault, err = openVault(ctx, c, p.pool); err != nil {
		p.pool.Close()
		return nil, err
	}
	redis.SetLogger(silent{}) // what matters comes back as an error
	p.redis = redis.NewClient(c.Redis)
	warnings, err := queue.CheckRedis(ctx, p.redis)
	if err != nil {
		p.close()
		return nil, err
	}
	for _, w := range warnings {
		p.log.Warn(w)
	}
	return p, nil
}

// silent is go-redis's logger: its lines would name addresses on every retry.
type silent struct{}

// Printf drops the line.
func (silent) Printf(context.Context, string, ...any) {}

func openVault(ctx context.Context, c *config.Config, pool *pg.Pool) (*accounts.Vault, error) {
	ring, err := seal.NewRing(c.MasterKeys)
	if err != nil {
		return nil, err
	}
	return accounts.OpenVault(ctx, pool, ring)
}

func (p *process) close() {
	p.redis.Close()
	p.pool.Close()
}

func logger(c *config.Config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, opts))
}

// part is one thing /readyz asks.
type part struct {
	name string
	ask  func(context.Context) error
}

// parts are those of every process.
func (p *process) parts() []part {
	return []part{
		{"database", func(ctx context.Context) error {
			if err := p.pool.Engine().Ping(ctx); err != nil {
				return errors.New("the database does not answer")
			}
			return nil
		}},
		{"schema", func(ctx context.Context) error { return migrations.Check(ctx, p.pool.Engine()) }},
		{"redis", func(ctx context.Context) error {
			if err := p.redis.Ping(ctx).Err(); err != nil {
				return errors.New("redis does not answer")
			}
			return nil
		}},
	}
}

// watch serves health and metrics of a process without an API, until ctx ends.
func (p *process) watch(ctx context.Context, more ...part) error {
	if p.config.MetricsListen == "" {
		<-ctx.Done()
		return nil
	}
	ln, err := net.Listen("tcp", p.config.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen for health and metrics: %w", err)
	}
	p.log.Info("health and metrics", "address", ln.Addr().String())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"status":"alive"}`) })
	mux.Handle("GET /readyz", readiness(append(p.parts(), more...)))
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}))
	return serve(ctx, ln, mux)
}

func readiness(parts []part) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		for _, p := range parts {
			if err := p.ask(ctx); err != nil {
				http.Error(w, fmt.Sprintf(`{"status":"not_ready","part":%q,"why":%q}`, p.name, err), http.StatusServiceUnavailable)
				return
			}
		}
		fmt.Fprintln(w, `{"status":"ready"}`)
	}
}

// serve answers until ctx ends and lets requests in progress finish.
func serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	return front.Serve(ctx, srv, ln, 5*time.Second)
}

// together runs parts until ctx ends or one fails; then all end, and the first
// error is returned.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, len(parts))
	for _, run := range parts {
		go func() { errs <- run(ctx) }()
	}
	var first error
	for range parts {
		err := <-errs
		if err != nil && !errors.Is(err, context.Canceled) && first == nil {
			first = err
		}
		cancel()
	}
	return first
}

func runMigrate(ctx context.Context, _ []string) error {
	c, err := config.Load(os.Environ(), "DATABASE_URL")
	if err != nil {
		return err
	}
	n, err := migrations.Apply(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	logger(c).Info("the schema is up to date", "applied", n, "schema", migrations.Hash())
	return nil
}
