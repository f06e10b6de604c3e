//go:build unix

package prove

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bareed/internal/devenv"
	"bareed/internal/prove/nemesis"
	"bareed/internal/prove/wire"
	"bareed/internal/rig"
)

// makeWorld starts the processes with every connection through a link.
func (p *proof) makeWorld(ctx context.Context) (*nemesis.World, error) {
	w := &nemesis.World{Servers: p.servers, Net: wire.New(), History: p.history, Slots: workers * slots,
		Campaigns: map[string]string{}, Runs: map[string]string{}}
	api, err := devenv.FreePort()
	if err != nil {
		return nil, err
	}
	sandbox, err := devenv.FreePort()
	if err != nil {
		return nil, err
	}
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	for name, upstream := range map[string]string{"worker-meta": at(sandbox), "postgres": p.servers.Postgres, "postgres-worker1": p.servers.Postgres,
		"redis": p.servers.Redis, "webhooks": at(api)} {
		if _, err := w.Net.Add(name, upstream); err != nil {
			return nil, err
		}
	}
	if w.Rig, err = p.startProcesses(w.Net, at(api), at(sandbox)); err != nil {
		return nil, err
	}
	if w.Admin, err = pgxpool.New(ctx, p.servers.AdminURL); err != nil {
		return nil, fmt.Errorf("connect as the superuser: %w", err)
	}
	w.Redis = redis.NewClient(&redis.Options{Addr: p.servers.Redis, Password: p.servers.Password, Protocol: 2, DisableIdentity: true})
	w.Inspector = asynq.NewInspector(asynq.RedisClientOpt{Addr: p.servers.Redis, Password: p.servers.Password})
	limit := "TIER_UNLIMITED"
	if w.Tenant, err = w.Rig.MakeTenant(ctx, "Acme", rig.MetaOf(1, p.Rate, limit)); err != nil {
		return nil, fmt.Errorf("make a tenant: %w", err)
	}
	w.Client = w.Rig.Client(w.Tenant.Key)
	return w, nil
}

// startProcesses gives each process the links' addresses; worker1 has a link to
// PostgreSQL of its own, so that it can be wrong about what others did.
func (p *proof) startProcesses(net *wire.Net, api, sandbox string) (*rig.Rig, error) {
	log, err := os.Create(strings.TrimSuffix(p.history.path, "history.jsonl") + "processes.log")
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	r, err := rig.Start(p.hard, rig.Config{Binary: p.Binary, Dir: p.dir, Workers: workers, Schedulers: schedulers, Slots: slots, Log: log,
		DatabaseURL: p.databaseURL(net.Link("postgres").Address), RedisURL: "redis://:" + p.servers.Password + "@" + net.Link("redis").Address + "/0",
		API: api, Hooks: "http://" + net.Link("webhooks").Address,
		Meta: sandbox, Env: []string{"BAREED_GRAPH_URL=http://" + net.Link("worker-meta").Address},
		EnvOf: func(process string) []string {
			if process == "worker1" {
				return []string{"DATABASE_URL=" + p.databaseURL(net.Link("postgres-worker1").Address)}
			}
			return nil
		}})
	if err != nil {
		return nil, fmt.Errorf("start the product: %w", err)
	}
	return r, nil
}

// databaseURL is the product's login through a link.
func (p *proof) databaseURL(address string) string {
	s := p.servers
	return "postgres://" + s.Login + ":" + s.Password + "@" + address + "/" + s.Database + "?sslmode=disable"
}
