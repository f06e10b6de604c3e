//go:build unix

// Package rig runs the whole product as it is run in earnest: real processes of
// the real binary, on the PostgreSQL and Redis it is given, with the sandbox in
// Meta's place. The demo, the life test and the benchmark stand on it. It sees
// the product only from outside: its command line, its API, the sandbox's
// journal.
package rig

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"bareed/internal/devenv"
)

// Config says what to run.
type Config struct {
	Binary      string // of the product, from Build
	DatabaseURL string
	RedisURL    string
	MasterKey   string // base64; empty for a new one
	Dir         string // for the sandbox's journal
	Workers     int
	Schedulers  int
	Slots       int // of each worker
	Log         io.Writer
	API         string   // host:port; empty for a free one
	Meta        string   // host:port of the sandbox; empty for a free one
	Env         []string // more settings, NAME=value
	// EnvOf gives settings of one process alone, by its name; nil for none. A
	// rig that disturbs its links puts the disturbed addresses here.
	EnvOf func(process string) []string
	Hooks string // the base of the URL that the sandbox calls; empty for the API's
}

// Rig is the running product.
type Rig struct {
	Config
	URL     string // of the API
	Sandbox string // URL of the sandbox
	HTTP    *http.Client

	mu        sync.Mutex
	processes map[string]*devenv.Process
	order     []string // of starting
	ports     map[string]int
}

// Build builds the product's binary into dir and returns its path. Go's build
// cache makes a second time quick.
func Build(ctx context.Context, dir string, out io.Writer) (string, error) {
	bin := filepath.Join(dir, "bareed")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "bareed/cmd/bareed")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build the program: %w", err)
	}
	return bin, nil
}

// NewMasterKey makes a key for Config.
func NewMasterKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// Start migrates and starts every process, and returns when each is ready.
func Start(ctx context.Context, c Config) (*Rig, error) {
	r, err := Outside(ctx, c)
	if err != nil {
		return nil, err
	}
	names := []string{"sandbox"}
	for i := range c.Schedulers {
		names = append(names, fmt.Sprintf("scheduler%d", i+1))
	}
	for i := range c.Workers {
		names = append(names, fmt.Sprintf("worker%d", i+1))
	}
	for _, n := range append(names, "api") {
		if err := r.StartProcess(ctx, n); err != nil {
			r.Stop()
			return nil, err
		}
	}
	for _, n := range r.order {
		if err := r.WaitReady(ctx, n); err != nil {
			r.Stop()
			return nil, err
		}
	}
	return r, nil
}

// address picks the ports; the API's may be asked for.
func (r *Rig) address() error {
	for _, at := range []*string{&r.Meta, &r.API} {
		if *at != "" {
			continue
		}
		port, err := devenv.FreePort()
		if err != nil {
			return err
		}
		*at = fmt.Sprintf("127.0.0.1:%d", port)
	}
	r.Sandbox = "http://" + r.Meta
	r.URL = "http://" + r.API
	if r.Hooks == "" {
		r.Hooks = r.URL
	}
	return nil
}

// environment is what every process is given, and nothing of ours.
func (r *Rig) environment(metricsPort int) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"DATABASE_URL=" + r.DatabaseURL, "REDIS_URL=" + r.RedisURL, "BAREED_MASTER_KEY=1:" + r.MasterKey,
		"BAREED_GRAPH_URL=" + r.Sandbox, "BAREED_SANDBOX_LISTEN=" + strings.TrimPrefix(r.Sandbox, "http://"),
		"BAREED_SANDBOX_JOURNAL=" + filepath.Join(r.Dir, "journal.jsonl"),
		"BAREED_WAVES=never", // what a rig measures is not to wait half an hour
		"BAREED_LISTEN=" + r.API, "BAREED_LOG=text", "BAREED_LOG_LEVEL=warn",
		fmt.Sprintf("BAREED_METRICS_LISTEN=127.0.0.1:%d", metricsPort),
	}
	if r.Slots > 0 {
		env = append(env, fmt.Sprintf("BAREED_WORKER_SLOTS=%d", r.Slots))
	}
	return append(env, r.Env...)
}

// Command runs a subcommand to its end and returns what it printed.
func (r *Rig) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, r.Binary, args...)
	cmd.Env = r.environment(0)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// StartProcess starts a process by its name: the subcommand and a number.
func (r *Rig) StartProcess(ctx context.Context, name string) error {
	port, err := devenv.FreePort()
	if err != nil {
		return err
	}
	env := r.environment(port)
	if r.EnvOf != nil {
		env = append(env, r.EnvOf(name)...)
	}
	p, err := devenv.Start(ctx, devenv.Child{Name: name, Path: r.Binary,
		Args: []string{strings.TrimRight(name, "0123456789")}, Env: env, Log: r.Log})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.processes[name], r.ports[name] = p, port
	if !slices.Contains(r.order, name) {
		r.order = append(r.order, name)
	}
	return nil
}

// Process returns a process by name, for signals.
func (r *Rig) Process(name string) *devenv.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.processes[name]
}

// Metrics is the URL under which a process shows its health and figures.
func (r *Rig) Metrics(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("http://127.0.0.1:%d", r.ports[name])
}

// WaitReady waits until a process says that it is ready.
func (r *Rig) WaitReady(ctx context.Context, name string) error {
	url := r.Metrics(name) + "/readyz"
	switch {
	case name == "api":
		url = r.URL + "/readyz"
	case name == "sandbox":
		url = r.Sandbox + "/sandbox/clock"
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	p := r.Process(name)
	return Until(ctx, 20*time.Millisecond, func() (bool, error) {
		select {
		case <-p.Done():
			return false, fmt.Errorf("%s ended before it was ready: %v", name, p.Err())
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		res, err := r.HTTP.Do(req)
		if err != nil {
			return false, nil
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK, nil
	})
}

// Until asks again and again until the answer is yes, an error, or ctx ends.
func Until(ctx context.Context, every time.Duration, ask func() (bool, error)) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// Stop ends the processes in the order that loses nothing: the API first, so
// that no new work comes; schedulers, so that none is handed over; workers,
// which finish what they have; and Meta last.
func (r *Rig) Stop() {
	for _, kind := range []string{"api", "scheduler", "worker", "sandbox"} {
		var wg sync.WaitGroup
		for _, name := range r.order {
			if p := r.Process(name); strings.HasPrefix(name, kind) && p != nil {
				wg.Go(func() { _ = p.Stop(30 * time.Second) })
			}
		}
		wg.Wait()
	}
}
