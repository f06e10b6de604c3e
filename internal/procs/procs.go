//go:build unix

// Package procs runs the Procfile for real: goreman, the schema, a message from
// one end to the other, and an orderly end of every process. cmd/dev calls it.
// It knows the product from outside only, and the Procfile as its users do.
package procs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"bareed/internal/devenv"
	"bareed/internal/rig"
)

// Options of Run.
type Options struct {
	Out     io.Writer
	Install bool
	Stay    bool   // stay up after the message until soft ends
	Root    string // the repository; empty for the working directory
}

// grace is how long goreman may take to end: it asks one process after the
// other and gives each ten seconds.
const grace = 45 * time.Second

// Run runs the Procfile on servers of its own (those of TEST_DATABASE_URL and
// TEST_REDIS_URL if given) with a database of its own, which is dropped at the
// end. soft ends at the first Ctrl-C, hard at the second.
func Run(soft, hard context.Context, o Options) error {
	env, err := devenv.Up(soft, devenv.Options{Mode: devenv.Test, Out: o.Out, Install: o.Install})
	if err != nil {
		return err
	}
	defer env.Close()
	scratch, err := env.Scratch(soft, "procs")
	if err != nil {
		return err
	}
	defer scratch.Close()
	r, err := newRun(soft, o, env.RedisURL, scratch.DatabaseURL, scratch.Dir)
	if err != nil {
		return err
	}
	return r.perform(soft, hard)
}

// run is one Procfile in progress.
type run struct {
	Options
	rig   *rig.Rig
	dir   string
	ports map[string]string // name of the variable in the Procfile → port
}

func newRun(ctx context.Context, o Options, redis, database, dir string) (*run, error) {
	bin, err := rig.Build(ctx, dir, o.Out)
	if err != nil {
		return nil, err
	}
	r := &run{Options: o, dir: dir, ports: map[string]string{}}
	r.rig, err = rig.Outside(ctx, rig.Config{Binary: bin, DatabaseURL: database, RedisURL: redis, Dir: dir, Slots: 16})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"API_METRICS_PORT", "SCHEDULER_METRICS_PORT", "WORKER_METRICS_PORT"} {
		port, err := devenv.FreePort()
		if err != nil {
			return nil, err
		}
		r.ports[name] = fmt.Sprint(port)
	}
	return r, nil
}

func (r *run) perform(soft, hard context.Context) error {
	began := time.Now()
	goreman, err := r.start(soft, hard)
	if err != nil {
		return err
	}
	stopped := false
	defer func() {
		if !stopped {
			_ = goreman.Stop(grace) // the error that is on its way says more
		}
	}()
	working, cancel := context.WithTimeout(soft, 2*time.Minute)
	defer cancel()
	if err := r.ready(working, goreman); err != nil {
		return err
	}
	r.say("ready", "api, scheduler, worker and sandbox run under goreman after %.1f s", time.Since(began).Seconds())
	tenant, err := r.message(working)
	if err != nil {
		return err
	}
	if r.Stay {
		r.say("API", "%s, sign in as %s / %s", r.rig.URL, tenant.Owner.Email, tenant.Owner.Password)
		r.say("stays up", "Ctrl-C ends it; the data goes with it")
		select {
		case <-soft.Done():
		case <-goreman.Done():
		}
	}
	stopped = true
	return r.end(goreman)
}

// start runs goreman on the Procfile as it is. Each process's program is a
// script of ours around the real one, which notes how it ended: goreman tells
// nobody. The script also takes its process along when goreman is gone.
func (r *run) start(soft, hard context.Context) (*devenv.Process, error) {
	out, err := exec.CommandContext(soft, "go", "tool", "-n", "goreman").Output()
	if err != nil {
		return nil, fmt.Errorf("build goreman: %w", err)
	}
	script := filepath.Join(r.dir, "noted")
	if err := os.WriteFile(script, []byte(noted), 0o700); err != nil {
		return nil, fmt.Errorf("write a script: %w", err)
	}
	env := append(r.rig.Environment(), "BAREED="+script, "PROGRAM="+r.rig.Binary, "ENDS="+r.ends())
	for name, port := range r.ports {
		env = append(env, name+"="+port)
	}
	return devenv.Start(hard, devenv.Child{Name: "goreman", Path: strings.TrimSpace(string(out)), Dir: r.Root, Raw: true, Log: r.Out, Env: env,
		Args: []string{"-rpc-server=false", "-set-ports=false", "-exit-on-error", "-logtime=false", "start"}})
}

func (r *run) ends() string { return filepath.Join(r.dir, "ends") }

const noted = `#!/bin/sh
trap : TERM INT HUP
"$PROGRAM" "$@" &
child=$!
(trap '' TERM INT HUP
while kill -0 $PPID && kill -0 $child; do sleep 1; done
kill -KILL $child) >/dev/null 2>&1 &
watcher=$!
wait $child
code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
echo "$1 $code" >>"$ENDS"
kill -KILL $watcher
exit $code
`

// ready waits until every process says that it is.
func (r *run) ready(ctx context.Context, goreman *devenv.Process) error {
	ask := map[string]string{"api": r.rig.URL + "/readyz", "sandbox": r.rig.Sandbox + "/sandbox/clock"}
	for name, port := range r.ports {
		ask[name] = "http://127.0.0.1:" + port + "/readyz"
	}
	for name, url := range ask {
		err := rig.Until(ctx, 20*time.Millisecond, func() (bool, error) {
			select {
			case <-goreman.Done():
				return false, errors.New("goreman ended: a process of the Procfile does not run")
			default:
			}
			return r.answers(ctx, url), nil
		})
		if err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
	}
	return nil
}

// end stops everything and checks that every process ended by itself and well.
func (r *run) end(goreman *devenv.Process) error {
	began := time.Now()
	if err := goreman.Stop(grace); err != nil {
		return fmt.Errorf("stop goreman: %w", err)
	}
	b, err := os.ReadFile(r.ends())
	if err != nil {
		return fmt.Errorf("read how the processes ended: %w", err)
	}
	if err := judge(string(b)); err != nil {
		return err
	}
	r.say("stopped", "api, scheduler, worker, sandbox, in this order and each with exit status 0, in %.1f s", time.Since(began).Seconds())
	return nil
}

// judge compares what the script noted, a name and an exit status a line, with
// the order that loses nothing.
func judge(ends string) error {
	const want = "api 0\nscheduler 0\nworker 0\nsandbox 0\n"
	if ends != want {
		return fmt.Errorf("the processes ended in this order and with these exit statuses: %s; it should have been: %s",
			inLine(ends), inLine(want))
	}
	return nil
}

func inLine(ends string) string { return strings.ReplaceAll(strings.TrimSpace(ends), "\n", ", ") }

func (r *run) say(what, format string, args ...any) {
	fmt.Fprintf(r.Out, "%-10s %s\n", what, fmt.Sprintf(format, args...))
}
