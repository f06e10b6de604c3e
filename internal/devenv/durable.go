//go:build unix

package devenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"bareed/internal/devenv/software"
)

// Durable is a PostgreSQL that really writes (fsync on) and a Redis, both of one
// program alone, on ports of their own behind passwords, so that it can crash
// and restart them as it likes. They end with their program, however it ends.
type Durable struct {
	Dir       string // the program's own; Close removes it
	Login     string // of PostgreSQL, who may make roles; its database is Database
	Database  string
	AdminURL  string // of PostgreSQL's superuser, through the socket
	Postgres  string // host:port
	Redis     string // host:port
	Password  string // of both
	scratch   *Scratch
	log       io.Writer
	args      []string // of PostgreSQL, program first
	cred      *syscall.Credential
	redisArgs []string
	postgres  *Process
	redis     *Process
}

// StartDurable makes a data directory and starts both, for a program whose name
// is what: a-z only. The error is a *software.MissingError when there is no PostgreSQL or
// Redis on this machine.
func StartDurable(ctx context.Context, what string, log io.Writer) (*Durable, error) {
	bins, err := software.FindPostgres()
	if err != nil {
		return nil, software.MissingPostgres(string(Test), "TEST_DATABASE_URL", err.Error())
	}
	redisBin, err := software.RedisBinary()
	if err != nil {
		return nil, software.MissingRedis(string(Test), "TEST_REDIS_URL")
	}
	d := &Durable{scratch: &Scratch{}, log: log, Password: rand.Text(), Login: postgresRole, Database: demoDatabase}
	if err := d.scratch.makeDir(what); err != nil {
		return nil, err
	}
	d.Dir = d.scratch.Dir
	if err = d.makePostgres(ctx, bins[0]); err == nil {
		err = d.makeRedis(ctx, redisBin)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Durable) makePostgres(ctx context.Context, bin software.PostgresBin) error {
	if err := os.Chmod(d.Dir, 0o711); err != nil { // the server's user must be able to enter
		return fmt.Errorf("open the directory: %w", err)
	}
	dir := filepath.Join(d.Dir, "postgres")
	cred, uid, err := serverUser(dir)
	if err != nil {
		return err
	}
	if _, err := ownDir(dir, uid, 0o700); err != nil {
		return err
	}
	d.cred = cred
	data := filepath.Join(dir, "data")
	cmd := exec.CommandContext(ctx, filepath.Join(bin.Dir, "initdb"), "-D", data, "--username=postgres",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Dir, cmd.Env = dir, cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	port, err := FreePort()
	if err != nil {
		return err
	}
	d.Postgres = fmt.Sprintf("127.0.0.1:%d", port)
	q := url.Values{"host": {dir}, "port": {fmt.Sprint(port)}, "sslmode": {"disable"}}
	d.AdminURL = "postgres://postgres@/postgres?" + q.Encode()
	d.args = []string{filepath.Join(bin.Dir, "postgres"), "-D", data, "-k", dir, "-p", fmt.Sprint(port)}
	for _, set := range []string{"listen_addresses=127.0.0.1", "unix_socket_permissions=0700", "max_connections=300",
		"shared_buffers=256MB", "timezone=UTC", "log_timezone=UTC", "jit=off", "fsync=on", "full_page_writes=on",
		"track_commit_timestamp=on", "log_min_messages=fatal"} {
		d.args = append(d.args, "-c", set)
	}
	return errors.Join(d.StartPostgres(ctx), d.makeLogin(ctx))
}

// makeLogin makes the product's login and its database.
func (d *Durable) makeLogin(ctx context.Context) error {
	conn, err := connect(ctx, d.AdminURL)
	if err != nil {
		return fmt.Errorf("connect to make the login: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, q := range []string{sqlLogin, `alter role ` + postgresRole + ` password '` + d.Password + `'`,
		`create database ` + pgx.Identifier{demoDatabase}.Sanitize() + ` owner ` + postgresRole} {
		if _, err := conn.Exec(ctx, q); err != nil {
			return fmt.Errorf("make the login: %w", err)
		}
	}
	d.AdminURL = strings.Replace(d.AdminURL, "@/postgres?", "@/"+demoDatabase+"?", 1)
	return nil
}

// StartPostgres starts PostgreSQL and waits until it answers, which after a
// crash is when it has recovered.
func (d *Durable) StartPostgres(ctx context.Context) error {
	p, err := Start(ctx, Child{Name: "postgres", Path: d.args[0], Args: d.args[1:], Env: cleanEnv(),
		Dir: filepath.Join(d.Dir, "postgres"), Log: d.log, cred: d.cred})
	if err != nil {
		return err
	}
	d.postgres = p
	return untilAnswers(ctx, p, func(ctx context.Context) error { return answers(ctx, d.AdminURL) })
}

// CrashPostgres ends PostgreSQL as an immediate shutdown does: nothing that was
// not written before is written now.
func (d *Durable) CrashPostgres() error {
	err := d.postgres.Signal(syscall.SIGQUIT)
	<-d.postgres.Done()
	return err
}

func (d *Durable) makeRedis(ctx context.Context, bin string) error {
	port, err := FreePort()
	if err != nil {
		return err
	}
	dir := filepath.Join(d.Dir, "redis")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make a directory for redis: %w", err)
	}
	d.Redis = fmt.Sprintf("127.0.0.1:%d", port)
	d.redisArgs = []string{bin, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--requirepass", d.Password,
		"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir", dir, "--logfile", "/dev/null"}
	return d.StartRedis(ctx)
}

// Dump is the file that Redis's SAVE writes and a start reads.
func (d *Durable) Dump() string { return filepath.Join(d.Dir, "redis", "dump.rdb") }

// StartRedis starts Redis with what Dump holds, or empty without it.
func (d *Durable) StartRedis(ctx context.Context) error {
	p, err := Start(ctx, Child{Name: "redis", Path: d.redisArgs[0], Args: d.redisArgs[1:], Env: cleanEnv(), Log: d.log})
	if err != nil {
		return err
	}
	d.redis = p
	return untilAnswers(ctx, p, func(ctx context.Context) error {
		if c, err := new(net.Dialer).DialContext(ctx, "tcp", d.Redis); err != nil { // the client would log it
			return err
		} else if err := c.Close(); err != nil {
			return err
		}
		return PingRedis(ctx, &redis.Options{Addr: d.Redis, Password: d.Password})
	})
}

// KillRedis ends Redis at once.
func (d *Durable) KillRedis() {
	d.redis.Kill()
	<-d.redis.Done()
}

// Close stops both and removes the directory.
func (d *Durable) Close() {
	for _, p := range []*Process{d.postgres, d.redis} {
		if p != nil {
			_ = p.Signal(syscall.SIGQUIT) // nothing of it is kept
			select {
			case <-p.Done():
			case <-time.After(10 * time.Second):
				p.Kill()
				<-p.Done()
			}
		}
	}
	if d.Dir != "" {
		os.RemoveAll(d.Dir)
	}
	if d.scratch.owned != nil {
		d.scratch.owned.Close()
		d.scratch.owned = nil
	}
}

// untilAnswers asks for at most a minute.
func untilAnswers(ctx context.Context, p *Process, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return errors.New(p.name + " ended at once")
		default:
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			return fmt.Errorf("%s does not answer: %w", p.name, err)
		}
	}
}
