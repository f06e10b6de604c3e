//go:build unix

package devenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/devenv/software"
)

func (e *Env) upRedis(ctx context.Context, o Options) error {
	if name, addr := given(o.Mode, "REDIS_URL"); addr != "" {
		opt, err := redis.ParseURL(addr)
		if err != nil {
			return fmt.Errorf("%s is not a Redis URL: want unix:///path/redis.sock?db=0 or redis://host:port/0", name)
		}
		if err := PingRedis(ctx, opt); err != nil {
			return fmt.Errorf("%s is set but no Redis answers there: %w", name, err)
		}
		e.RedisURL = addr
		e.say(o.Out, "redis", fmt.Sprintf("given by %s: database %d on %s", name, opt.DB, opt.Addr))
		return nil
	}
	bin, err := software.RedisBinary()
	if err != nil && !o.Attached {
		if addr, err := e.dockerRedis(ctx, o); err == nil {
			e.RedisURL = addr
			return nil
		} else if !errors.Is(err, errNoDocker) {
			return err
		}
		if o.Install {
			if err := software.Install(ctx, o.Out, "redis-server", "redis"); err != nil {
				return err
			}
			bin, err = software.RedisBinary()
		}
	}
	if err != nil {
		variable, _ := given(o.Mode, "REDIS_URL")
		return software.MissingRedis(string(o.Mode), variable)
	}
	return e.privateRedis(ctx, o, bin)
}

// privateRedis joins or starts this checkout's own server. Nothing in it is
// kept: the product must be able to rebuild it from PostgreSQL.
func (e *Env) privateRedis(ctx context.Context, o Options, bin string) error {
	s, err := redisServer(o.Mode, bin)
	if err != nil {
		return err
	}
	held, err := s.attach(ctx)
	if err != nil {
		return err
	}
	e.close = append(e.close, held.release)
	e.RedisURL = "unix://" + filepath.Join(s.run, "redis.sock") + "?db=0"
	e.PrivateRedis = true
	e.say(o.Out, "redis", fmt.Sprintf("private, %s on a socket in %s (in memory)", bin, s.run))
	return nil
}

func redisServer(m Mode, bin string) (*server, error) {
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	uid := os.Getuid()
	if _, err := ownDir(filepath.Join(state, string(m)), uid, 0o711); err != nil {
		return nil, err
	}
	dir, err := ownDir(filepath.Join(state, string(m), "redis"), uid, 0o700)
	if err != nil {
		return nil, err
	}
	run, err := runDir(dir, uid)
	if err != nil {
		return nil, err
	}
	sock := filepath.Join(run, "redis.sock")
	s := &server{name: "redis", dir: dir, run: run, stop: "TERM", args: RedisArgs(bin, sock)}
	s.ready = func(ctx context.Context) error {
		return PingRedis(ctx, &redis.Options{Network: "unix", Addr: sock})
	}
	s.orphan = func(ctx context.Context) error { return stopRedis(ctx, sock) }
	s.prepare = func(context.Context) error { return nil }
	return s, nil
}

// RedisArgs is the command line of a private Redis that listens on sock alone
// and writes nothing to disk. The program refuses any other eviction policy.
func RedisArgs(bin, sock string) []string {
	return []string{bin, "--port", "0", "--unixsocket", sock, "--unixsocketperm", "700",
		"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--daemonize", "no",
		"--dir", filepath.Dir(sock), "--logfile", ""}
}

// PingRedis asks one server for one answer, within two seconds.
func PingRedis(ctx context.Context, opt *redis.Options) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	o := *opt
	if o.Network == "unix" { // not there yet: the client would only fill the log
		if _, err := os.Stat(o.Addr); err != nil {
			return err
		}
	}
	o.MaxRetries, o.DialerRetries, o.PoolSize, o.Protocol, o.DisableIdentity = -1, 1, 1, 2, true
	c := redis.NewClient(&o)
	defer c.Close()
	return c.Ping(ctx).Err()
}

// stopRedis stops a server of an earlier run: whoever answers on our own
// private socket is ours.
func stopRedis(ctx context.Context, sock string) error {
	for {
		conn, err := net.DialTimeout("unix", sock, time.Second)
		if err != nil {
			os.Remove(sock)
			return nil
		}
		_, err = conn.Write([]byte("SHUTDOWN NOSAVE\r\n"))
		conn.Close()
		if err != nil && !strings.Contains(err.Error(), "broken pipe") {
			return fmt.Errorf("ask it to stop: %w", err)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}
