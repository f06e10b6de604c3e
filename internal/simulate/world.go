//go:build unix

package simulate

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/rig"
	"bareed/internal/seal"
	"bareed/migrations"
	"bareed/queue"
)

// world is a database and a Redis of our own with one portfolio, its numbers and
// its people, at an instant that stands still until it is moved.
type world struct {
	Options
	began time.Time
	now   time.Time

	pool  *pg.Pool
	vault *accounts.Vault
	owner *pgx.Conn
	redis *redis.Client
	queue *queue.Client
	dir   string
	undo  []func(context.Context)

	ws        id.Workspace
	actor     accounts.Actor
	portfolio id.Portfolio
	template  id.Template
	numbers   []id.Number
	audiences []id.Audience
	runs      []id.Run
	campaigns []id.Campaign  // of the runs
	rules     breaker.Limits // whether campaigns go in waves
	waves     []int64        // of the last campaign
}

func newWorld(ctx context.Context, o Options) (*world, error) {
	w := &world{Options: o, rules: breaker.Limits{Waves: o.Waves}, began: time.Now().UTC().Truncate(time.Second)}
	for _, step := range []func(context.Context) error{w.database, w.startRedis, w.freeze, w.tenant, w.account, w.people} {
		if err := step(ctx); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

func (w *world) say(what, format string, args ...any) {
	fmt.Fprintf(w.Out, "%-10s %s\n", what, fmt.Sprintf(format, args...))
}

func (w *world) later(fn func(context.Context)) { w.undo = append(w.undo, fn) }

// close undoes everything in reverse, also after the context has ended.
func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i := len(w.undo) - 1; i >= 0; i-- {
		w.undo[i](ctx)
	}
	w.undo = nil
}

// database makes one of our own on the tests' private server.
func (w *world) database(ctx context.Context) error {
	env, err := devenv.Up(ctx, devenv.Options{Mode: devenv.Test, NoRedis: true, Out: w.Out})
	if err != nil {
		return err
	}
	w.later(func(context.Context) { env.Close() })
	scratch, err := env.Scratch(ctx, "simulate")
	if err != nil {
		return err
	}
	w.later(func(context.Context) { scratch.Close() })
	w.dir = scratch.Dir
	if _, err := migrations.Apply(ctx, scratch.DatabaseURL); err != nil {
		return err
	}
	if w.pool, err = pg.Open(ctx, pg.Config{URL: scratch.DatabaseURL, MaxConns: 4}); err != nil {
		return err
	}
	w.later(func(context.Context) { w.pool.Close() })
	if w.owner, err = pgx.Connect(ctx, scratch.DatabaseURL); err != nil {
		return fmt.Errorf("connect as the owner: %w", err)
	}
	w.later(func(ctx context.Context) { _ = w.owner.Close(ctx) }) // the database is dropped next
	return w.exec(ctx, `set role bareed_owner`)
}

// exec runs a statement as the schema's owner.
func (w *world) exec(ctx context.Context, statement string, args ...any) error {
	if _, err := w.owner.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("prepare the simulation: %w", err)
	}
	return nil
}

// startRedis starts one of our own.
func (w *world) startRedis(ctx context.Context) error {
	bin, err := software.RedisBinary()
	if err != nil {
		return err
	}
	sock := filepath.Join(w.dir, "redis.sock")
	args := devenv.RedisArgs(bin, sock)
	p, err := devenv.Start(context.WithoutCancel(ctx), devenv.Child{Name: "redis", Path: args[0], Args: args[1:]})
	if err != nil {
		return err
	}
	w.later(func(context.Context) { _ = p.Stop(5 * time.Second) })
	opts, err := queue.ParseURL("unix://" + sock + "?db=0")
	if err != nil {
		return err
	}
	w.redis, w.queue = redis.NewClient(opts), queue.NewClient(opts)
	w.later(func(context.Context) { _, _ = w.redis.Close(), w.queue.Close() })
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return rig.Until(ctx, 5*time.Millisecond, func() (bool, error) { return w.redis.Ping(ctx).Err() == nil, nil })
}

// frozen makes the database's clock stand still at the instant of one row. The
// product's own way of moving it rewrites the function, which costs every plan;
// here it moves five times a simulated second.
const frozen = `
create table simulated_clock (at timestamptz not null) with (fillfactor = 10);
insert into simulated_clock values (now());
grant select on simulated_clock to bareed_app, bareed_engine;
create or replace function bareed_now() returns timestamptz language sql stable parallel safe
    return (select at from public.simulated_clock)`

func (w *world) freeze(ctx context.Context) error {
	if err := w.exec(ctx, frozen); err != nil {
		return err
	}
	return w.set(ctx, w.began)
}

// set moves the time of everything.
func (w *world) set(ctx context.Context, to time.Time) error {
	w.now = to
	return w.exec(ctx, `update simulated_clock set at = $1`, to)
}

// clock is the simulated time for Go code.
func (w *world) clock() time.Time { return w.now }

func (w *world) tenant(ctx context.Context) error {
	key, err := base64.StdEncoding.DecodeString(rig.NewMasterKey())
	if err != nil {
		return fmt.Errorf("read the master key: %w", err)
	}
	ring, err := seal.NewRing(map[uint16][]byte{1: key})
	if err != nil {
		return err
	}
	if w.vault, err = accounts.OpenVault(ctx, w.pool, ring); err != nil {
		return err
	}
	org, err := accounts.CreateOrganisation(ctx, w.pool, "Simulation")
	if err != nil {
		return err
	}
	w.ws, err = accounts.CreateWorkspace(ctx, w.pool, w.vault, accounts.NewWorkspaceRequest{Organisation: org, Name: "Simulation", Live: true})
	w.actor = accounts.Actor{Workspace: w.ws, Kind: accounts.KindUser, ID: id.New[id.User]().String(), Role: accounts.Owner, Live: true}
	return err
}
