//go:build unix

package devenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Images are pinned to a major version whose data format stays readable.
const (
	postgresImage = "postgres:17"
	redisImage    = "redis:7"
)

var errNoDocker = errors.New("no Docker engine answers")

// dockerPostgres runs PostgreSQL in a container of this checkout.
func (e *Env) dockerPostgres(ctx context.Context, o Options) (string, error) {
	c, err := newContainer(ctx, o.Mode, "postgres")
	if err != nil {
		return "", err
	}
	args := []string{"-e", "POSTGRES_USER=" + postgresRole, "-e", "POSTGRES_PASSWORD=" + c.secret, "-e", "POSTGRES_DB=" + databaseOf(o.Mode)}
	if o.Mode == Demo {
		args = append(args, "-v", c.name+":/var/lib/postgresql/data")
	} else {
		args = append(args, "--tmpfs", "/var/lib/postgresql/data")
	}
	args = append(args, postgresImage, "-c", "max_connections=300")
	if o.Mode == Test {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	}
	addr, err := c.run(ctx, "5432/tcp", args)
	if err != nil {
		return "", err
	}
	e.close = append(e.close, c.remove)
	u := url.URL{Scheme: "postgres", User: url.UserPassword(postgresRole, c.secret), Host: addr, Path: databaseOf(o.Mode), RawQuery: "sslmode=disable"}
	if err := retry(ctx, func() error { return answers(ctx, u.String()) }); err != nil {
		return "", fmt.Errorf("the container %s does not answer: %w", c.name, err)
	}
	e.say(o.Out, "postgres", fmt.Sprintf("Docker container %s of %s on %s", c.name, postgresImage, addr))
	return u.String(), nil
}

// dockerRedis runs Redis in a container of this checkout.
func (e *Env) dockerRedis(ctx context.Context, o Options) (string, error) {
	c, err := newContainer(ctx, o.Mode, "redis")
	if err != nil {
		return "", err
	}
	addr, err := c.run(ctx, "6379/tcp", []string{redisImage, "redis-server", "--save", "", "--appendonly", "no",
		"--maxmemory-policy", "noeviction", "--requirepass", c.secret})
	if err != nil {
		return "", err
	}
	e.close = append(e.close, c.remove)
	if err := retry(ctx, func() error { return PingRedis(ctx, &redis.Options{Addr: addr, Password: c.secret}) }); err != nil {
		return "", fmt.Errorf("the container %s does not answer: %w", c.name, err)
	}
	e.say(o.Out, "redis", fmt.Sprintf("Docker container %s of %s on %s", c.name, redisImage, addr))
	return "redis://:" + c.secret + "@" + addr + "/0", nil
}

type container struct {
	name   string
	secret string // its password: any local user can reach the port
}

// newContainer names a container after the checkout and the mode, or says
// errNoDocker. A Docker client without an engine is common, so the engine is
// asked, for two seconds.
func newContainer(ctx context.Context, m Mode, service string) (*container, error) {
	quick, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := exec.CommandContext(quick, "docker", "info").Run(); err != nil {
		return nil, errNoDocker
	}
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(state, "docker-secret")
	secret, err := os.ReadFile(file)
	if err != nil {
		secret = []byte(rand.Text())
		if err := os.WriteFile(file, secret, 0o600); err != nil {
			return nil, fmt.Errorf("keep the containers' password: %w", err)
		}
	}
	return &container{name: containerName(state, m, service), secret: string(secret)}, nil
}

func containerName(state string, m Mode, service string) string {
	return "bareed-" + stateKey(state) + "-" + string(m) + "-" + service
}

// run starts the container afresh with one port on the loopback address and
// returns that address. One left over from a killed run is removed.
func (c *container) run(ctx context.Context, port string, args []string) (string, error) {
	c.remove()
	args = append([]string{"run", "-d", "--name", c.name, "-p", "127.0.0.1::" + strings.TrimSuffix(port, "/tcp")}, args...)
	if out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("docker run %s: %w: %s", c.name, err, strings.TrimSpace(string(out)))
	}
	out, err := exec.CommandContext(ctx, "docker", "port", c.name, port).Output()
	if err != nil {
		return "", fmt.Errorf("docker port %s: %w", c.name, err)
	}
	addr, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return addr, nil
}

func (c *container) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = exec.CommandContext(ctx, "docker", "rm", "-f", c.name).Run() // not there is as good
}

// retry asks for up to a minute.
func retry(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ask()
		if err == nil || pause(ctx, 200*time.Millisecond) != nil {
			return err
		}
	}
}
