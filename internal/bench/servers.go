//go:build unix

package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"bareed/accounts"
	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
	"bareed/internal/pg"
	"bareed/internal/rig"
	"bareed/internal/seal"
	"bareed/migrations"
	"bareed/queue"
)

// servers are a database of our own on a durable PostgreSQL and a Redis of our
// own: nothing that is measured may be taken by a demo that runs beside.
type servers struct {
	url       string // of the database, as its owner's login
	redisURL  string
	masterKey string
	dir       string
	log       io.Writer

	pool  *pg.Pool
	vault *accounts.Vault
	owner *pgx.Conn // acts as bareed_owner
	redis *redis.Client
	opts  *redis.Options
	undo  []func(context.Context)
}

func startServers(ctx context.Context, log io.Writer) (*servers, error) {
	s := &servers{log: log, masterKey: rig.NewMasterKey()}
	for _, step := range []func(context.Context) error{s.database, s.open, s.startRedis} {
		if err := step(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// close undoes everything in reverse, also after ctx has ended.
func (s *servers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i := len(s.undo) - 1; i >= 0; i-- {
		s.undo[i](ctx)
	}
	s.undo = nil
}

func (s *servers) later(fn func(context.Context)) { s.undo = append(s.undo, fn) }

// database makes one of our own on the demo's server, which writes durably, and
// a directory.
func (s *servers) database(ctx context.Context) error {
	env, err := devenv.Up(ctx, devenv.Options{Mode: devenv.Demo, NoRedis: true, Out: s.log})
	if err != nil {
		return err
	}
	s.later(func(context.Context) { env.Close() })
	scratch, err := env.Scratch(ctx, "bench")
	if err != nil {
		return err
	}
	s.later(func(context.Context) { scratch.Close() })
	s.url, s.dir = scratch.DatabaseURL, scratch.Dir
	_, err = migrations.Apply(ctx, s.url)
	return err
}

// slots is how many connections the pool has: one for each of the 32 claimers
// and a few.
const slots = 32

func (s *servers) open(ctx context.Context) (err error) {
	if s.pool, err = pg.Open(ctx, pg.Config{URL: s.url, MaxConns: slots + 4}); err != nil {
		return err
	}
	s.later(func(context.Context) { s.pool.Close() })
	key, err := base64.StdEncoding.DecodeString(s.masterKey)
	if err != nil {
		return fmt.Errorf("read the master key: %w", err)
	}
	ring, err := seal.NewRing(map[uint16][]byte{1: key})
	if err != nil {
		return err
	}
	if s.vault, err = accounts.OpenVault(ctx, s.pool, ring); err != nil {
		return err
	}
	if s.owner, err = pgx.Connect(ctx, s.url); err != nil {
		return fmt.Errorf("connect as the owner: %w", err)
	}
	s.later(func(ctx context.Context) { _ = s.owner.Close(ctx) })
	return s.exec(ctx, `set role bareed_owner`)
}

// exec runs a statement as the schema's owner.
func (s *servers) exec(ctx context.Context, sql string, args ...any) error {
	if _, err := s.owner.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("prepare the database: %w", err)
	}
	return nil
}

// startRedis starts one of our own, or where there is no binary takes the one
// that tests share.
func (s *servers) startRedis(ctx context.Context) error {
	bin, err := software.RedisBinary()
	if err != nil {
		env, err := devenv.UpRedis(ctx, devenv.Options{Mode: devenv.Test, Out: s.log})
		if err != nil {
			return err
		}
		s.later(func(context.Context) { env.Close() })
		return s.openRedis(ctx, env.RedisURL)
	}
	sock := filepath.Join(s.dir, "redis.sock")
	args := devenv.RedisArgs(bin, sock)
	p, err := devenv.Start(context.WithoutCancel(ctx), devenv.Child{Name: "redis", Path: args[0], Args: args[1:]})
	if err != nil {
		return err
	}
	s.later(func(context.Context) { _ = p.Stop(5 * time.Second) })
	return s.openRedis(ctx, "unix://"+sock+"?db=0")
}

func (s *servers) openRedis(ctx context.Context, address string) error {
	opts, err := queue.ParseURL(address)
	if err != nil {
		return err
	}
	opts.PoolSize = 2 * slots
	s.redisURL, s.opts, s.redis = address, opts, redis.NewClient(opts)
	s.later(func(context.Context) { _ = s.redis.Close() })
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return rig.Until(ctx, 5*time.Millisecond, func() (bool, error) { return s.redis.Ping(ctx).Err() == nil, nil })
}

// describe names versions and what durability rests on.
func (s *servers) describe(ctx context.Context) string {
	var version, fsync, commit string
	err := s.owner.QueryRow(ctx, `select current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')`).
		Scan(&version, &fsync, &commit)
	if err != nil {
		return ""
	}
	info, _ := s.redis.Info(ctx, "server").Result() // its version is a courtesy
	return fmt.Sprintf("PostgreSQL %s (fsync %s, synchronous_commit %s), Redis %s", version, fsync, commit, infoField(info, "redis_version"))
}

// infoField reads one line of Redis' INFO.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func machine() string {
	kernel := runtime.GOOS
	if out, err := exec.Command("uname", "-sr").Output(); err == nil {
		kernel = strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), kernel, runtime.GOARCH, runtime.Version())
}
