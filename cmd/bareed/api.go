package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"bareed/accounts"
	"bareed/api"
	"bareed/api/front"
	"bareed/campaigns/breaker"
	"bareed/campaigns/caps"
	"bareed/campaigns/live"
	"bareed/internal/clock"
	"bareed/internal/config"
	"bareed/internal/errs"
	"bareed/migrations"
	"bareed/numbers"
	"bareed/queue"
	"bareed/web"
	"bareed/whatsapp"
)

// dashboardPath is where the operators' view of the queue is mounted.
const dashboardPath = "/ops/queues"

// runAPI serves until SIGTERM. Order of stopping: no new connection, requests
// in progress finish, then the database and Redis are let go.
func runAPI(ctx context.Context, _ []string) error {
	p, err := begin(ctx, "api")
	if err != nil {
		return err
	}
	defer p.close()
	dashboard := queue.NewDashboard(p.config.Redis, dashboardPath, true)
	defer dashboard.Close()
	tasks := queue.NewClient(p.config.Redis)
	defer func() { _ = tasks.Close() }()
	watching := live.New(live.Config{Pool: p.pool, Log: p.log})
	server, err := p.newServer(watching, dashboard, tasks)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	p.log.Info("the API listens", "address", ln.Addr().String())
	return together(ctx, watching.Run,
		func(ctx context.Context) error { return server.Run(ctx, ln) },
		func(ctx context.Context) error { return p.metrics(ctx, server.MetricsHandler()) })
}

// newServer builds the JSON and the pages out of the same parts.
func (p *process) newServer(watching *live.Hub, dashboard *queue.Dashboard, tasks *queue.Client) (*api.Server, error) {
	hasher, err := accounts.NewHasher(accounts.OWASP)
	if err != nil {
		return nil, err
	}
	probe, err := newProbe(p.config)
	if err != nil {
		return nil, err
	}
	limits, err := breaker.ParseLimits(p.config.BreakerLimits, p.config.Waves)
	if err != nil {
		return nil, err
	}
	blocked, err := caps.ParseCountries(p.config.BlockedCountries)
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Config{
		Pool: p.pool, Vault: p.vault, Hasher: hasher, Clock: clock.System, Log: p.log,
		BaseURL: p.config.BaseURL, Until: front.UntilShutdown, Live: watching,
		Probe: probe, Queues: queues(p, tasks), Limits: limits, Blocked: blocked,
	})
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Pool: p.pool, Vault: p.vault, Hasher: hasher, Clock: clock.System, Log: p.log,
		BaseURL: p.config.BaseURL, TrustedProxies: proxies(p.config), Checks: checks(p),
		Dashboard: dashboard, Probe: probe, Live: watching, Web: pages, Limits: limits, Blocked: blocked,
	})
}

// metrics serves the API's own figures on the private address.
func (p *process) metrics(ctx context.Context, h http.Handler) error {
	if p.config.MetricsListen == "" {
		<-ctx.Done()
		return nil
	}
	ln, err := net.Listen("tcp", p.config.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	mux.Handle("GET /readyz", readiness(p.parts()))
	return serve(ctx, ln, mux)
}

// newProbe asks Meta about a number that is being connected: the one call to
// Meta outside the worker, because a person waits for its answer.
func newProbe(c *config.Config) (numbers.Probe, error) {
	meta, err := whatsapp.New(whatsapp.Config{BaseURL: c.GraphURL, Version: c.GraphVersion})
	if err != nil {
		return nil, err
	}
	return numbers.NewProbe(meta), nil
}

func proxies(c *config.Config) []string {
	var list []string
	for _, p := range c.TrustedProxies {
		list = append(list, p.String())
	}
	return list
}

// checks are what the API needs besides the database. Without Redis it still
// takes campaigns and webhooks, but nothing is handed to the workers.
func checks(p *process) []api.Check {
	return []api.Check{
		{Name: "schema", Probe: func(ctx context.Context) error { return migrations.Check(ctx, p.pool.Engine()) }},
		{Name: "redis", Probe: func(ctx context.Context) error {
			if err := p.redis.Ping(ctx).Err(); err != nil {
				return errs.New("ready.unreachable", "part", "redis").Because(err)
			}
			return nil
		}},
	}
}
